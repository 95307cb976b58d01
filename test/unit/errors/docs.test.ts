import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { httpStatus } from '../../../src/api/errors.ts'
import { exitCodeOf } from '../../../src/cli/exit-codes.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import { ERROR_CODES, type Reason, REASONS } from '../../../src/errors/reasons.ts'

const file = join(import.meta.dirname, '../../../docs/errors.md')
const LINE = /^\| `(\w+)` \| `(\w+)` \| (yes|no) \| (.+) \| (.+) \|$/gm
const text = readFileSync(file, 'utf8')
const lines = [...text.matchAll(LINE)]

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

test('docs/errors.md has the status and the exit code of every code, and those of reasons that differ', () => {
  const codes = [...text.matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \| .+\. \|$/gm)]
  expect(codes.map(([, code]) => code)).toEqual(ERROR_CODES)
  const [statuses, exits] = (/^Some reasons .+$/m.exec(text)?.[0] ?? '')
    .split(' or exit code: ')
    .map(numbersIn)
  for (const reason of Object.keys(REASONS) as Reason[]) {
    const error = new EasyNetError(reason, 'x')
    const [, , status, exit] = codes.find(([, code]) => code === error.code) ?? []
    const documented = [statuses?.get(reason) ?? Number(status), exits?.get(reason) ?? Number(exit)]
    expect({ reason, is: [httpStatus(error), exitCodeOf(error)] }).toEqual({ reason, is: documented })
  }
})

/** The numbers of names in a text such as `a`, `b` 5; `c` 413. */
function numbersIn(text: string): Map<string, number> {
  const groups = [...text.matchAll(/((?:`\w+`,? )+)(\d+)/g)]
  return new Map(
    groups.flatMap(([, names = '', number]) =>
      [...names.matchAll(/\w+/g)].map(([name]) => [name, Number(number)] as const),
    ),
  )
}

test('every reason belongs to one of the 16 codes', () => {
  expect(Object.values(REASONS).filter(({ code }) => !ERROR_CODES.includes(code))).toEqual([])
})
