import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as programs from '../../../src/api/attach/limits.ts'
import * as attach from '../../../src/model/attach.ts'
import * as network from '../../../src/network/limits.ts'
import * as call from '../../../src/protocols/call/constants.ts'
import * as capability from '../../../src/protocols/capability/constants.ts'
import * as hello from '../../../src/protocols/hello/constants.ts'
import * as timeline from '../../../src/protocols/timeline/constants.ts'
import * as topology from '../../../src/topology/limits.ts'
import * as cbor from '../../../src/util/cbor.ts'

const modules: Record<string, object> = {
  'src/network/limits.ts': network,
  'src/topology/limits.ts': topology,
  'src/protocols/call/constants.ts': call,
  'src/protocols/capability/constants.ts': capability,
  'src/protocols/hello/constants.ts': hello,
  'src/protocols/timeline/constants.ts': timeline,
  'src/util/cbor.ts': cbor,
  'src/model/attach.ts': attach,
  'src/api/attach/limits.ts': programs,
}
const root = join(import.meta.dirname, '../../..')
const sections = readFileSync(join(root, 'docs/limits.md'), 'utf8').split('\n## ').slice(1)
const ROW = /^\| `(\w+)` +\| ([^|]+?) +\| ([^|]+?) +\| ([^|]+?) +\| ([^|]+?) +\|$/gm

function rowsOf(file: string): string[][] {
  const section = sections.find((text) => text.includes(`\`${file}\`; see`)) ?? ''
  return [...section.matchAll(ROW)].map((match) => match.slice(1))
}

function written(value: unknown): string | undefined {
  if (typeof value === 'number') return value.toLocaleString('en-US')
  if (typeof value !== 'object' || value === null || !('perSecond' in value)) return undefined
  const { perSecond, burst } = value as { perSecond: number; burst: number }
  return `${perSecond.toLocaleString('en-US')}/s, ${burst.toLocaleString('en-US')} saved up`
}

test.each(Object.entries(modules))('docs/limits.md has every limit of %s, with its value', (file, module) => {
  const limits = Object.entries(module)
    .map(([name, value]) => [name, written(value)])
    .filter(([name, value]) => value !== undefined && name !== 'ATTACH_PROTOCOL')
  const rows = rowsOf(file)
  expect(limits.length).toBeGreaterThan(0)
  expect(Object.fromEntries(rows.map(([name, value]) => [name, value]))).toEqual(Object.fromEntries(limits))
  expect(rows.length).toBe(limits.length)
})

test('the tests that docs/limits.md names exist', () => {
  const named = Object.keys(modules).flatMap((file) => rowsOf(file).map((row) => row[4] ?? ''))
  const paths = named.filter((cell) => cell !== '–').map((cell) => cell.replaceAll('`', ''))
  expect(paths.length).toBeGreaterThan(50)
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
})
