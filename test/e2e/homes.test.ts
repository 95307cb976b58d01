import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from './support/commands.ts'
import { type Daemon, removeHome, startDaemon, temporaryHome } from './support/daemon.ts'

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

interface Trust {
  peerId: string
  owner: string
  meshes: { id: string; name: string; role: string; expiresAt: number | null }[]
}
async function trustOf(daemon: Daemon): Promise<Trust> {
  const { peerId, owner, meshes } = (await (await daemon.fetch('/v1/status')).json()) as Trust
  return { peerId, owner, meshes }
}

test('the first start makes an owner and its personal mesh, without a question; the next one keeps both', async () => {
  const home = join(folder, 'first')
  const args = ['--name', 'desk']
  const first = await startDaemon({ home, args, cwd: folder })
  const trust = await trustOf(first)
  await first.stop()
  const id = expect.stringMatching(/^[0-9a-f]{64}$/) as string
  expect(trust).toMatchObject({ owner: id, meshes: [{ id, name: 'desk', role: 'owner', expiresAt: null }] })
  const { stdout } = await run('easynet', ['--home', home, 'key', 'show', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ peerId: trust.peerId, owner: trust.owner })
  await using second = await startDaemon({ home, args: ['--name', 'other'] })
  expect(await trustOf(second)).toEqual(trust)
  const status = await run('easynet', ['--home', home, 'status'])
  expect(status.stdout).toMatch(/meshes\s+desk \(owner\)/)
})

test('a home of 0.1, which has neither, gets them and keeps its device', async () => {
  const home = join(folder, 'old')
  const first = await startDaemon({ home, cwd: folder })
  const { peerId } = await trustOf(first)
  await first.stop()
  for (const file of readdirSync(join(home, 'state'))) {
    if (/^(owner\.key|trust\.db.*)$/.test(file)) rmSync(join(home, 'state', file))
  }
  const old = await run('easynet', ['--home', home, 'key', 'show', '--json'])
  expect(JSON.parse(old.stdout)).toMatchObject({ peerId, owner: null })
  await using second = await startDaemon({ home })
  const trust = await trustOf(second)
  expect([trust.peerId, trust.meshes.length]).toEqual([peerId, 1])
})

test('no other user can read a key, a token or a membership', async () => {
  await using daemon = await startDaemon()
  const readable = ['state', 'run'].flatMap((dir) =>
    [dir, ...readdirSync(join(daemon.home, dir)).map((file) => join(dir, file))].filter((path) => {
      const { mode } = statSync(join(daemon.home, path))
      return (mode & 0o077) !== 0 && !path.endsWith('.sock')
    }),
  )
  expect(readable).toEqual([])
  const files = ['state/owner.key', 'state/identity.key', 'state/trust.db', 'run/token']
  for (const file of files) expect(existsSync(join(daemon.home, file))).toBe(true)
  if (process.getuid?.() !== 0) return
  for (const file of files) {
    const nobody = spawnSync('cat', [join(daemon.home, file)], { uid: 65_534, gid: 65_534 })
    expect([file, nobody.status, nobody.stdout.length]).toEqual([file, 1, 0])
  }
})
