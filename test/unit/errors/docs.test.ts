import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ERROR_CODES, REASONS } from '../../../src/errors/reasons.ts'

const file = join(import.meta.dirname, '../../../docs/errors.md')
const LINE = /^\| `(\w+)` \| `(\w+)` \| (yes|no) \| (.+) \| (.+) \|$/gm
const lines = [...readFileSync(file, 'utf8').matchAll(LINE)]

test('docs/errors.md has one line for every reason, and none for others', () => {
  expect(lines.map(([, reason = '']) => reason).toSorted((a, b) => a.localeCompare(b))).toEqual(
    Object.keys(REASONS).toSorted((a, b) => a.localeCompare(b)),
  )
})

test('docs/errors.md gives the code and whether to try again as the code does', () => {
  const documented = lines.map(([, reason, code, retryable]) => [
    reason,
    { code, retryable: retryable === 'yes' },
  ])
  expect(Object.fromEntries(documented)).toEqual(REASONS)
})

test('every line says what the reason means and what to do', () => {
  expect(
    lines.filter(([, , , , meaning, remedy]) => !meaning?.endsWith('.') || !remedy?.endsWith('.')),
  ).toEqual([])
})

test('every reason belongs to one of the 16 codes', () => {
  expect(Object.values(REASONS).filter(({ code }) => !ERROR_CODES.includes(code))).toEqual([])
})
