import { expect, test } from 'vitest'
import { connect, HttpClient, type Mesh } from '../../src/sdk/index.ts'
import { eventually } from '../integration/support/eventually.ts'
import { HOUR_MS, shiftedClock } from './support/clock.ts'
import { run } from './support/commands.ts'
import { type Daemon, startDaemon } from './support/daemon.ts'
import { addressOf, untilKnown } from './support/mesh.ts'

/** Two programs that know each other's functions call them, in every way that a clock has a part in. */
async function callEachOther(one: Mesh, other: Mesh): Promise<void> {
  for (const [from, name] of [
    [one, 'other'],
    [other, 'one'],
  ] as const) {
    expect(await from.call(`echo.${name}`, ['hello'])).toBe('hello')
    expect(await from.call(`once.${name}`, ['hello'], { key: `key ${crypto.randomUUID()}` })).toBe('hello')
    const startedAt = performance.now()
    await expect(from.call(`wait.${name}`, [60_000], { timeoutMs: 300 })).rejects.toMatchObject({
      reason: 'deadline_exceeded',
    })
    expect(performance.now() - startedAt).toBeGreaterThan(290)
    // Its deadline is far away by any clock.
    expect(await from.call(`wait.${name}`, [200], { timeoutMs: 30_000 })).toBe(200)
  }
}

async function offer(mesh: Mesh, name: string): Promise<void> {
  await mesh.register(`echo.${name}`, (text: string) => text, { idempotent: true })
  await mesh.register(`once.${name}`, (text: string) => text)
  await mesh.register(
    `wait.${name}`,
    async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms, ms)),
  )
}

const everything = (name: string): string[] => [`echo.${name}`, `once.${name}`, `wait.${name}`]

/** `one` has a clock of its own; `right` does not. */
async function startPair(stack: AsyncDisposableStack, env: Record<string, string>, home?: string) {
  const right = stack.use(await startDaemon({ args: ['--name', 'right'] }))
  const args = ['--name', 'off', '--bootstrap', addressOf(right)]
  const off = stack.use(await startDaemon({ args, env, ...(home === undefined ? {} : { home }) }))
  const programs = {
    off: stack.use(await connect({ home: off.home })),
    right: stack.use(await connect({ home: right.home })),
  }
  await offer(programs.off, 'one')
  await offer(programs.right, 'other')
  await untilKnown(right, ...everything('one'))
  await untilKnown(off, ...everything('other'))
  return { right, off, programs }
}

async function skewOf(daemon: Daemon, peerId: string): Promise<number | null | undefined> {
  using api = await HttpClient.open({ home: daemon.home })
  return (await api.peers()).find((peer) => peer.peerId === peerId)?.clockAheadMs
}

async function clockCheck(
  daemon: Daemon,
): Promise<{ status: string; message: string; fix?: string } | undefined> {
  const { stdout } = await run('easynet', ['--home', daemon.home, 'doctor', '--json'], {
    env: { EASYNET_MDNS: 'off' },
  })
  const { checks } = JSON.parse(stdout) as {
    checks: { id: string; status: string; message: string; fix?: string }[]
  }
  return checks.find(({ id }) => id === 'clock')
}

test('a clock that is one hour ahead, or behind: discovery, calls, keys and deadlines work, and it is told', async () => {
  for (const shiftMs of [HOUR_MS, -HOUR_MS]) {
    await using stack = new AsyncDisposableStack()
    const { right, off, programs } = await startPair(stack, shiftedClock(shiftMs).env)
    await callEachOther(programs.off, programs.right)
    const isShift = (ms: number): boolean => Math.abs(ms - shiftMs) < 5_000
    await eventually(async () => isShift((await skewOf(right, off.peerId)) ?? 0))
    await eventually(async () => isShift(-((await skewOf(off, right.peerId)) ?? 0)))
    expect(await clockCheck(off)).toMatchObject({
      status: 'warn',
      message: expect.stringContaining(
        shiftMs > 0 ? '1 h behind this one' : '1 h ahead of this one',
      ) as string,
      fix: expect.stringContaining('set-ntp') as string,
    })
    await eventually(() =>
      off.stderr().includes('"msg":"the clocks of the connected peers differ from ours"'),
    )
  }
})

test('a clock that jumps while the daemon runs: what runs and what comes later works, and it is told', async () => {
  await using stack = new AsyncDisposableStack()
  const clock = shiftedClock(0)
  const { right, off, programs } = await startPair(stack, clock.env)
  for (const shiftMs of [HOUR_MS, -HOUR_MS, 0]) {
    const running = [
      programs.right.call('wait.one', [3_000], { timeoutMs: 20_000 }),
      programs.off.call('wait.other', [3_000], { timeoutMs: 20_000 }),
    ]
    const late = expect(
      programs.off.call('wait.other', [60_000], { timeoutMs: 2_000 }),
    ).rejects.toMatchObject({
      reason: 'deadline_exceeded',
    })
    clock.set(shiftMs)
    await eventually(() => Number(off.stderr().match(/"msg":"the clock of this device was set/g)?.length) > 0)
    expect(await Promise.all(running)).toEqual([3_000, 3_000])
    await late
    await callEachOther(programs.off, programs.right)
    // What is registered after the jump is learned by others, and the difference is known to both.
    await programs.off.register(`later.${shiftMs}`, () => shiftMs)
    await untilKnown(right, `later.${shiftMs}`)
    const near = (ms: number) => Math.abs(ms - shiftMs) < 5_000
    await eventually(async () => near((await skewOf(right, off.peerId)) ?? NaN))
    await eventually(async () => near(-((await skewOf(off, right.peerId)) ?? NaN)))
  }
})

test('a daemon whose clock was an hour ahead and is right again after a restart is believed at once', async () => {
  await using stack = new AsyncDisposableStack()
  const { right, off, programs } = await startPair(stack, shiftedClock(HOUR_MS).env)
  await programs.off.close()
  await off.kill()
  const again = stack.use(
    await startDaemon({ home: off.home, args: ['--name', 'off', '--bootstrap', addressOf(right)] }),
  )
  const program = stack.use(await connect({ home: again.home }))
  await program.register('new.function', () => 'new')
  await untilKnown(right, 'new.function')
  expect(await programs.right.call('new.function')).toBe('new')
})
