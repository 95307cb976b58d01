import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test, type TestContext } from 'vitest'
import { connect, type EasyNetError, type Mesh } from '../../src/sdk/index.ts'
import { eventually } from '../integration/support/eventually.ts'
import { run } from './support/commands.ts'
import { type Daemon, runDaemon, startDaemon } from './support/daemon.ts'
import { addressOf, untilKnown } from './support/mesh.ts'
import { mountSmallDisk, type SmallDisk } from '../integration/support/small-disk.ts'

const DISK_MIB = 24

function smallDisk({ skip }: TestContext): SmallDisk {
  const disk = mountSmallDisk(DISK_MIB)
  if (disk === undefined) return skip('a disk to fill can be mounted by root on Linux only')
  onTestFinished(() => disk[Symbol.dispose]())
  return disk
}

/** A device whose home is on a small disk, and another one with all the room it needs. */
async function devicesWith(disk: SmallDisk) {
  const other = await startDaemon({ args: ['--name', 'other'] })
  onTestFinished(async () => other[Symbol.asyncDispose]())
  const home = join(disk.folder, 'home')
  mkdirSync(home, { mode: 0o700 })
  const start = async (): Promise<Daemon> => {
    const daemon = await startDaemon({ home, args: ['--name', 'small', '--bootstrap', addressOf(other)] })
    onTestFinished(async () => daemon[Symbol.asyncDispose]())
    return daemon
  }
  return { other, home, start }
}

async function programOf(home: string): Promise<Mesh> {
  const mesh = await connect({ home })
  onTestFinished(async () => mesh.close())
  return mesh
}

/** Functions that work for as long as they are told. */
async function serve(home: string): Promise<{ runs: string[] }> {
  const runs: string[] = []
  const mesh = await programOf(home)
  const work = async (name: string, workMs: number): Promise<string> => {
    runs.push(name)
    await wait(workMs)
    return name
  }
  await mesh.register('once', work)
  await mesh.register('again', work, { idempotent: true })
  return { runs }
}

const storageOf = async (daemon: Daemon): Promise<string> =>
  ((await (await daemon.fetch('/v1/status')).json()) as { storage: string }).storage
const refused = {
  reason: 'storage_failed',
  retryable: true,
  message: expect.stringMatching(/disk .+ is full/),
}

test('a disk that fills up while calls run: they end, new ones are refused with the reason, and it recovers', async (context) => {
  const disk = smallDisk(context)
  const { other, home, start } = await devicesWith(disk)
  const small = await start()
  const { runs } = await serve(home)
  const caller = await programOf(other.home)
  await untilKnown(other, 'once', 'again')

  let id = ''
  const running = caller.call('once', ['running', 2_000], { onAccepted: (given) => (id = given) })
  running.catch(() => undefined)
  await eventually(() => runs.includes('running'))
  disk.fill()
  await expect(caller.call('once', ['refused', 0])).rejects.toMatchObject(refused)
  expect(await caller.call('again', ['needs no disk', 0])).toBe('needs no disk')
  expect(await running).toBe('running')
  expect(runs).toEqual(['running', 'needs no disk'])

  // It says so wherever somebody looks.
  expect(await storageOf(small)).toBe('full')
  expect(small.stderr()).toMatch(/"level":"error".*the disk is full/)
  const doctor = await run('easynet', ['--home', home, 'doctor'])
  expect(doctor.stdout).toMatch(/^FAIL\tdisk\t.*refuses calls/m)
  expect((await run('easynet', ['--home', home, 'status'])).stdout).toMatch(/^disk\tfull/m)
  const call = await run('easynet', ['--home', other.home, 'call', 'once', '--args', '["x",0]'])
  expect([call.code, call.stderr]).toEqual([2, expect.stringContaining('is full')])

  // What ran while it was full is still known after a crash.
  await small.kill()
  const again = await start()
  await eventually(async () => (await caller.outcome(id)).state === 'done')
  expect(await storageOf(again)).toBe('full')
  disk.free()
  await eventually(async () => (await storageOf(again)) === 'ok')
  await untilKnown(other, 'once')
  expect(await eventually(async () => caller.call('once', ['after', 0]))).toBe('after')
  expect(existsSync(join(home, 'state', 'reserve'))).toBe(true)
})

test('calls of a device whose own disk is full: those that must be noted first are refused, others go', async (context) => {
  const disk = smallDisk(context)
  const { other, home, start } = await devicesWith(disk)
  const small = await start()
  const { runs } = await serve(other.home)
  const caller = await programOf(home)
  await untilKnown(small, 'once', 'again')
  disk.fill()
  // Until a write has failed nobody knows that it is full.
  const results = await Promise.allSettled(
    Array.from({ length: 300 }, async (_, n) => caller.call('once', [`${n}`, 0])),
  )
  const failures = results.filter((result) => result.status === 'rejected')
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  for (const { reason } of failures) expect(reason as EasyNetError).toMatchObject(refused)
  expect(runs).toEqual(done)
  await expect(caller.call('once', ['x', 0], { key: 'k' })).rejects.toMatchObject(refused)
  expect(await caller.call('again', ['goes', 0])).toBe('goes')
  disk.free()
  await eventually(async () => (await storageOf(small)) === 'ok')
  expect(await caller.call('once', ['x', 0], { key: 'k' })).toBe('x')
  // What waited in memory has been written: the next daemon knows it.
  const wanted = caller.status().then(async () => (await small.fetch('/v1/calls')).json())
  const { calls } = (await wanted) as { calls: { id: string; fn: string; state: string }[] }
  const goes = calls.find(({ fn }) => fn === 'again')
  await small.stop()
  const next = await start()
  expect(await (await next.fetch(`/v1/calls/${goes?.id}`)).json()).toMatchObject({ state: 'done' })
})

test('a full disk before the first start is an error that says so, and nothing is half made', async (context) => {
  const disk = smallDisk(context)
  disk.fill()
  const home = join(disk.folder, 'home')
  const failed = await runDaemon({ home, cwd: disk.folder })
  expect([failed.code, failed.stderr]).toEqual([
    1,
    expect.stringMatching(/is full[^]*storage_failed[^]*df -h/),
  ])
  const up = await run('easynet', ['--home', home, 'up', '--no-mdns'])
  expect([up.code, up.stderr]).toEqual([2, expect.stringMatching(/is full[^]*df -h/)])
  disk.free()
  await using daemon = await startDaemon({ home, cwd: disk.folder })
  expect(daemon.peerId).toMatch(/./)
  expect(readFileSync(join(home, 'state', 'identity.key'), 'utf8')).toContain('PRIVATE KEY')
})
