import { expect, test } from 'vitest'
import { shellWord } from '../../../src/cli/shell-word.ts'
import { easynet } from './support.ts'

test.each([
  ['/home/ada/tools.ts', '/home/ada/tools.ts'],
  ['世界.ts', '世界.ts'],
  ['my tools.ts', "'my tools.ts'"],
  ["it's", `'it'\\''s'`],
  ['$(rm)', "'$(rm)'"],
  ['', "''"],
])('%s is one word of a shell', (text, word) => {
  expect(shellWord(text)).toBe(word)
})

test('a hint with a home is a command to paste', async () => {
  const { stderr } = await easynet(['statsu', '--home', '/tmp/my home'])
  expect(stderr).toContain("Try: easynet status --home '/tmp/my home'\n")
})
