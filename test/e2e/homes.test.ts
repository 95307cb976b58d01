import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from './support/commands.ts'
import { removeHome, temporaryHome } from './support/daemon.ts'

let folder: string
beforeAll(() => {
  folder = temporaryHome()
})
afterAll(() => removeHome(folder))

const HOMES = [
  ['an empty text', () => '', 'needs a value', 'is empty'],
  ['a file', () => join(folder, 'file'), 'is a file, not a folder', 'is a file, not a folder'],
  ['a folder with a damaged key', () => join(folder, 'damaged'), 'no Ed25519 key', 'no Ed25519 key'],
] as const

test.each(HOMES)('%s as home is refused, with what to do', async (_, home, told, toldByDaemon) => {
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'damaged', 'state'), { recursive: true })
  writeFileSync(join(folder, 'damaged', 'state', 'identity.key'), 'not a key', { mode: 0o600 })
  const up = await run('easynet', ['up', '--home', home()])
  expect([up.code, up.stderr.split('\n').map((line) => line.split(' ')[0])]).toEqual([
    2,
    ['Error:', 'Why:', 'Try:', ''],
  ])
  expect(up.stderr).toContain(told)
  expect(up.stderr).not.toContain('made a mistake')
  const daemon = await run('easynetd', ['--home', home()])
  expect([1, 2, 78]).toContain(daemon.code)
  expect(daemon.stderr).toContain(toldByDaemon)
})

// Node's own way of making folders never returns below /proc.
test.runIf(existsSync('/proc/self'))('a home that cannot be made is refused at once', async () => {
  const startedAt = performance.now()
  const up = await run('easynet', ['up', '--home', '/proc/nope'])
  expect(up.code).toBe(2)
  expect(up.stderr).toContain('cannot be made or used')
  expect((await run('easynetd', ['--home', '/proc/nope'])).code).toBe(1)
  expect(performance.now() - startedAt).toBeLessThan(10_000)
})
