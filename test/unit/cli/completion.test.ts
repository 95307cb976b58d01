import { execFileSync, spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { easynet } from './support.ts'

const script = async (shell: string): Promise<string> => (await easynet(['completion', shell])).stdout
const hasBash = spawnSync('bash', ['--version']).status === 0

/** What bash offers after these words; the last one is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const program = `${await script('bash')}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _easynet; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', program, 'bash', ...words], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
}

test.skipIf(!hasBash).each<[string[], string[]]>([
  [['easynet', 'st'], ['status']],
  [
    ['easynet', 'peer', ''],
    ['ls', 'show', 'block', 'unblock'],
  ],
  [['easynet', '--home', 'dir', 'doc'], ['doctor']],
  [['easynet', 'service', 'install', '--pr'], ['--print']],
  [['easynet', 'call', '--home', 'dir', '--ti'], ['--timeout']],
  [['easynet', 'nonsense', 'upd'], []],
])('bash completes %j', async (words, expected) => {
  expect(await offered(...words)).toEqual(expect.arrayContaining(expected))
})

test('the other shells get every command, with texts that cannot end a quote', async () => {
  const [zsh, fish, powershell] = await Promise.all(['zsh', 'fish', 'powershell'].map(script))
  for (const text of [zsh, fish, powershell]) {
    for (const path of ['easynet peer block', 'easynet service install', 'easynet completion'])
      expect(text).toContain(`'${path}'`)
    expect(text).toContain('--timeout')
  }
  expect(zsh).toMatch(/^#compdef easynet\n/)
  // One command a line: a description over several lines would be cut into others.
  const lines = (fish ?? '').split('\n').filter((line) => line !== '')
  expect(lines.filter((line) => !/^(#|function|end|test|  |complete -c easynet )/.test(line))).toEqual([])
})

test('an unknown shell is a usage error', async () => {
  expect(await easynet(['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' })
})
