import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const rows = [...read('docs/architecture.md').matchAll(/^\| `src\/(\w+)` \| .+ \| (.+) \|$/gm)]

test('docs/architecture.md has a line for every folder of src', () => {
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  expect(new Set(rows.map(([, folder]) => folder))).toEqual(new Set(folders.map(({ name }) => name)))
})

test('docs/architecture.md allows the imports that test/architecture.test.ts allows', () => {
  const table = read('test/architecture.test.ts')
  const enforced = (folder: string): string[] => {
    const [, list = ''] = new RegExp(`^  ${folder}: (SHARED|\\[[^\\]]*\\]),$`, 'm').exec(table) ?? []
    return [...list.matchAll(/'(\w+)'/g)].map((match) => match[1] ?? '')
  }
  const words: Record<string, string> = {
    'nothing at all': '',
    'only `errors`': 'errors',
    '–': '',
    'everything above': enforced('daemon').join(', '),
  }
  const differing = rows.filter(
    ([, folder = '', cell = '']) => (words[cell] ?? cell) !== enforced(folder).join(', '),
  )
  expect(differing.map(([row]) => row)).toEqual([])
})
