import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eventually } from '../integration/support/eventually.ts'
import { type DaemonMesh, startMesh, untilKnown } from './support/mesh.ts'
import { startProviderProgram } from './support/program.ts'

// Longer than a silent link is trusted, so that everything that 30 s reach is reached; `SUSPENDED_MS=30000` tries those.
const SUSPENDED_MS = Number(process.env['SUSPENDED_MS'] ?? 8_000)

/** Stops a process for a while, and does something meanwhile. */
async function suspend(pid: number, meanwhile: () => Promise<void>): Promise<void> {
  const stoppedAt = performance.now()
  process.kill(pid, 'SIGSTOP')
  try {
    await meanwhile()
    await sleep(SUSPENDED_MS - (performance.now() - stoppedAt))
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

async function untilConnected(mesh: DaemonMesh): Promise<void> {
  await eventually(async () => {
    const { peers } = (await (await mesh.caller.fetch('/v1/peers')).json()) as {
      peers: { peerId: string; connected: boolean }[]
    }
    return peers.some(({ peerId, connected }) => connected && peerId === mesh.provider.peerId)
  }, 30_000)
}

test("the provider's daemon is suspended: idempotent calls go elsewhere, others get their result or an honest answer in time", async () => {
  await using mesh = await startMesh()
  await using program = await startProviderProgram(mesh.provider.home)
  await using elsewhere = await startProviderProgram(mesh.boot.home)
  const app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'effect', 'slow.pid')
  await untilConnected(mesh)
  const patient = app.callWithInfo('provider/effect', ['patient', 2_000], {
    timeoutMs: SUSPENDED_MS + 30_000,
  })
  let hastyId = ''
  const startedAt = performance.now()
  const hasty = app.call('provider/effect', ['hasty', 2_000], {
    timeoutMs: 6_000,
    onAccepted: (id) => (hastyId = id),
  })
  const hastyEnds = expect(hasty).rejects.toMatchObject({ reason: 'outcome_unknown' })
  await eventually(() => program.effects().length === 2)
  await suspend(mesh.provider.pid, async () => {
    await hastyEnds
    expect(performance.now() - startedAt).toBeLessThan(6_000 + 5_000)
    // Its own program does not stop with it.
    await eventually(() => program.effects().filter((line) => line.startsWith('end')).length === 2)
    const moved = await app.callWithInfo('slow.pid', [], { timeoutMs: 60_000 })
    expect(moved).toMatchObject({ result: elsewhere.pid })
  })
  expect(await patient).toMatchObject({ result: 'patient', attempts: 1 })
  // Whether the result or the deadline came first when the daemon went on: either is an answer.
  await eventually(async () => /^(done|failed)$/.test((await app.outcome(hastyId)).state), 20_000)
  expect(program.effects().filter((line) => line.startsWith('start'))).toHaveLength(2)
  await untilConnected(mesh)
  expect(await app.call('provider/upper', ['x'])).toBe('X')
})

test("the caller's daemon is suspended: what runs goes on and its result is there afterwards, deadlines that passed have passed", async () => {
  await using mesh = await startMesh()
  await using program = await startProviderProgram(mesh.provider.home)
  const app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'effect')
  await untilConnected(mesh)
  const patient = app.callWithInfo('effect', ['patient', 2_000], { timeoutMs: SUSPENDED_MS + 30_000 })
  const hasty = app.call('effect', ['hasty', 2_000], { timeoutMs: 5_000 }).catch((error: unknown) => error)
  await eventually(() => program.effects().length === 2)
  await suspend(mesh.caller.pid, async () => {
    await eventually(() => program.effects().filter((line) => line.startsWith('end')).length === 2)
  })
  expect(await patient).toMatchObject({ result: 'patient', attempts: 1 })
  expect(await hasty).toMatchObject({
    reason: expect.stringMatching(/^(deadline_exceeded|outcome_unknown)$/) as string,
  })
  expect(program.effects().filter((line) => line.startsWith('start'))).toHaveLength(2)
  await untilConnected(mesh)
  expect(await app.call('upper', ['x'])).toBe('X')
})

test('a program is suspended: its calls end at their deadline, and it serves again when it goes on', async () => {
  await using mesh = await startMesh()
  await using program = await startProviderProgram(mesh.provider.home)
  const app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'effect')
  await suspend(program.pid, async () => {
    const startedAt = performance.now()
    await expect(app.call('effect', ['late', 0], { timeoutMs: 2_000 })).rejects.toMatchObject({
      reason: 'deadline_exceeded',
    })
    expect(performance.now() - startedAt).toBeLessThan(2_000 + 5_000)
  })
  expect(await app.call('upper', ['x'], { timeoutMs: 20_000 })).toBe('X')
  expect(await app.call('effect', ['next', 0], { timeoutMs: 20_000 })).toBe('next')
})
