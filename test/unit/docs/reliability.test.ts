import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitCodeOf } from '../../../src/cli/exit-codes.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import { type Reason, REASONS } from '../../../src/errors/reasons.ts'

const root = join(import.meta.dirname, '../../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

interface Row {
  fault: string
  seen: string
  /** `file: title` each. */
  tests: string[]
}

function rowsOf(file: string): Row[] {
  return [...read(file).matchAll(/^\| (.+) \| .+ \| (.+) \| (`test\/.+) \|$/gm)].map(
    ([, fault = '', seen = '', tests = '']) => ({ fault, seen, tests: tests.split('<br>') }),
  )
}
const rows = rowsOf('docs/reliability.md')

/** True when the file has a test of that name, be it in quotes of any kind. */
function exists(named: string): boolean {
  const [, file = '', title = ''] = /^`(test\/[\w./-]+)`: (.+)$/.exec(named) ?? []
  const source = read(file).replaceAll(/\\(['"`])/g, '$1')
  return [`'`, '"', '`'].some((quote) =>
    new RegExp(`\\b(?:test|it)(?:\\.\\w+\\(.+\\))?\\(\\s*${quote}${escaped(title)}${quote}`).test(source),
  )
}
const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)

test('every fault of docs/reliability.md names a test that exists', () => {
  expect(rows.length).toBeGreaterThan(12)
  expect(rows.flatMap(({ tests }) => tests).filter((named) => !exists(named))).toEqual([])
})

test('every reason in docs/reliability.md has the exit code that easynet gives', () => {
  const stated = rows.flatMap(({ seen }) => [...seen.matchAll(/`(\w+)` \(exit (\d+)\)/g)])
  expect(stated.length).toBeGreaterThan(4)
  const wrong = stated.filter(
    ([, reason = '', code]) =>
      !(reason in REASONS) || exitCodeOf(new EasyNetError(reason as Reason, '')) !== Number(code),
  )
  expect(wrong.map(([text]) => text)).toEqual([])
})

test('both languages have the same faults with the same reasons and tests', () => {
  const facts = ({ seen, tests }: Row) => ({ codes: seen.match(/`\w+`|exit \d+/g), tests })
  expect(rowsOf('docs/reliability.zh.md').map(facts)).toEqual(rows.map(facts))
})
