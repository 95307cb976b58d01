import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { resolveRoots } from '../../src/identity/rotation.ts'
import { readGenesis } from '../../src/identity/genesis.ts'
import { loadOwnerKey } from '../../src/identity/owner-key.ts'
import { createRevocations } from '../../src/identity/revocations.ts'
import { openDatabase } from '../../src/storage/database.ts'
import { createMeshStore } from '../../src/storage/mesh-store.ts'
import { TRUST_MIGRATIONS } from '../../src/storage/migrations.ts'
import { run } from './support/commands.ts'
import { type Daemon, removeHome, startDaemon, temporaryHome } from './support/daemon.ts'

// Real daemons: who shares a mesh works together, everybody else is refused with a reason.

function newHome(): string {
  const home = temporaryHome()
  onTestFinished(() => removeHome(home))
  return home
}
async function start(home: string, name: string, bootstrap: string[] = []): Promise<Daemon> {
  const args = [
    '--name',
    name,
    '--log-level',
    'debug',
    ...bootstrap.flatMap((address) => ['--bootstrap', address]),
  ]
  const daemon = await startDaemon({ home, args })
  onTestFinished(() => daemon[Symbol.asyncDispose]())
  return daemon
}
function addressOf({ home }: Daemon): string {
  const { addresses } = JSON.parse(readFileSync(join(home, 'run/daemon.json'), 'utf8')) as {
    addresses: string[]
  }
  return addresses[0] ?? ''
}
interface Peer {
  peerId: string
  connected: boolean
}
async function connectedTo(daemon: Daemon): Promise<string[]> {
  const { peers } = (await (await daemon.fetch('/v1/peers')).json()) as { peers: Peer[] }
  return peers.filter(({ connected }) => connected).map(({ peerId }) => peerId)
}
/** Two homes of one owner: the second gets the owner's key and mesh, as with an exported key. */
async function twoHomes(): Promise<[string, string]> {
  const [first, second] = [newHome(), newHome()]
  await (await startDaemon({ home: first, args: ['--name', 'first'] })).stop()
  mkdirSync(join(second, 'state'), { mode: 0o700 })
  for (const file of ['owner.key', 'trust.db'])
    cpSync(join(first, 'state', file), join(second, 'state', file))
  return [first, second]
}
const refusals = (daemon: Daemon): string[] =>
  daemon
    .stderr()
    .split('\n')
    .filter((line) => line.includes('a device was refused'))
    .map((line) => (JSON.parse(line) as { why: string }).why)

test('devices of one mesh call each other; a stranger is refused, hears why, and sees nothing', async () => {
  const [firstHome, secondHome] = await twoHomes()
  const first = await start(firstHome, 'first')
  const second = await start(secondHome, 'second', [addressOf(first)])
  const stranger = await start(newHome(), 'stranger', [addressOf(first)])
  await expect.poll(() => connectedTo(second), { timeout: 10_000 }).toEqual([first.peerId])
  await expect.poll(() => refusals(stranger), { timeout: 10_000 }).toContain('no_common_mesh')
  await expect.poll(() => refusals(first), { timeout: 10_000 }).toContain('no_common_mesh')
  await expect.poll(() => connectedTo(stranger), { timeout: 10_000 }).toEqual([])
  expect(await connectedTo(first)).toEqual([second.peerId])

  const served = join(newHome(), 'f.mjs')
  writeFileSync(served, 'export const upper = (text) => text.toUpperCase()\n')
  const program = spawn(join(import.meta.dirname, '../../bin/easynet'), [
    '--home',
    firstHome,
    'serve',
    served,
  ])
  onTestFinished(() => void program.kill())
  const call = (home: string) => run('easynet', ['--home', home, 'call', 'upper', 'hi', '--timeout', '5s'])
  await expect.poll(async () => (await call(secondHome)).stdout, { timeout: 30_000 }).toContain('HI')
  const refused = await run('easynet', [
    '--home',
    stranger.home,
    'call',
    `${first.peerId}/upper`,
    'hi',
    '--timeout',
    '5s',
  ])
  expect(refused.code).not.toBe(0)
  expect(refused.stdout).toBe('')
  const known = (await (await stranger.fetch('/v1/functions?scope=mesh')).json()) as { functions: unknown[] }
  expect(known.functions).toEqual([])
})

test('a revoked device is refused by who knows of it', async () => {
  const [firstHome, secondHome] = await twoHomes()
  const before = await startDaemon({ home: secondHome, args: ['--name', 'second'] })
  await before.stop()
  const key = JSON.parse((await run('easynet', ['--home', secondHome, 'key', 'show', '--json'])).stdout) as {
    publicKey: string
  }
  {
    using database = openDatabase(join(firstHome, 'state/trust.db'), {
      migrations: TRUST_MIGRATIONS,
      synchronous: 'full',
    })
    const store = createMeshStore(database)
    const [mesh] = store.list()
    const genesis = readGenesis(mesh?.genesis ?? new Uint8Array())
    if (!genesis.ok || !resolveRoots(genesis.value, []).ok) throw new Error('no mesh')
    const { meshId } = genesis.value
    const entries = [new Uint8Array(Buffer.from(key.publicKey, 'base64'))]
    const root = loadOwnerKey(join(firstHome, 'state/owner.key')).key
    store.saveRevocations(meshId, 1, createRevocations(root, { meshId, version: 1, entries }))
  }
  const first = await start(firstHome, 'first')
  const second = await start(secondHome, 'second', [addressOf(first)])
  await expect.poll(() => refusals(first), { timeout: 10_000 }).toContain('revoked')
  await expect.poll(() => refusals(second), { timeout: 10_000 }).toContain('revoked')
  await expect.poll(() => connectedTo(first), { timeout: 10_000 }).toEqual([])
})
