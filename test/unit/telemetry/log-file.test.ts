import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLogFile } from '../../../src/telemetry/log-file.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'easynet-log-'))
  path = join(folder, 'easynetd.log')
})
afterEach(() => rmSync(folder, { recursive: true }))

const text = (file = path): string => readFileSync(file, 'utf8')

test('is bounded in size and number, and keeps the newest lines', () => {
  using log = openLogFile({ path, maxBytes: 100, maxFiles: 3 })
  for (let number = 0; number < 100; number += 1) log.write(`line ${String(number).padStart(4, '0')}\n`)
  expect(readdirSync(folder).sort()).toEqual(['easynetd.log', 'easynetd.log.1', 'easynetd.log.2'])
  for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).size).toBeLessThanOrEqual(100)
  const kept = `${text(`${path}.2`)}${text(`${path}.1`)}${text()}`.trim().split('\n')
  expect(kept.at(-1)).toBe('line 0099')
  expect(kept).toEqual(
    Array.from(kept, (_, index) => `line ${String(100 - kept.length + index).padStart(4, '0')}`),
  )
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('goes on where an earlier process stopped', () => {
  {
    using log = openLogFile({ path, maxBytes: 20 })
    log.write('0123456789\n')
  }
  using log = openLogFile({ path, maxBytes: 20 })
  log.write('abcdefghij\n')
  expect([text(`${path}.1`), text()]).toEqual(['0123456789\n', 'abcdefghij\n'])
})

test('what somebody else appends stays readable after a rotation', () => {
  using log = openLogFile({ path, maxBytes: 10 })
  log.write('12345678\n')
  appendFileSync(path, 'crash\n')
  log.write('next\n')
  appendFileSync(path, 'crash again\n')
  expect([text(`${path}.1`), text()]).toEqual(['12345678\ncrash\n', 'next\ncrash again\n'])
})

test('a single line that is too long is written whole', () => {
  using log = openLogFile({ path, maxBytes: 10 })
  log.write(`${'x'.repeat(50)}\n`)
  expect(text()).toHaveLength(51)
})

test('when the copy fails the log is emptied and says so', () => {
  mkdirSync(join(folder, 'easynetd.log.1', 'in the way'), { recursive: true })
  using log = openLogFile({ path, maxBytes: 10, maxFiles: 2 })
  log.write('12345678\n')
  log.write('next\n')
  expect(text()).toContain('a full log was emptied without a copy')
  expect(text()).toContain('next\n')
})

test('writing after the end of the file is no error', () => {
  const log = openLogFile({ path })
  log[Symbol.dispose]()
  expect(() => log.write('late\n')).not.toThrow()
})

test('a log that cannot be opened says which', () => {
  chmodSync(folder, 0o700)
  expect(() => openLogFile({ path: join(folder, 'none', 'x.log') })).toThrow(
    /log file .*x\.log cannot be written/,
  )
})
