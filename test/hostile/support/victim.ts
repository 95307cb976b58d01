import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type Daemon, startDaemon } from '../../e2e/support/daemon.ts'
import { addressOf, untilKnown } from '../../e2e/support/mesh.ts'
import { eventually } from '../../integration/support/eventually.ts'
import type { Target } from './attacker.ts'
import { type Inspector, inspect } from './inspector.ts'
import { type Program, startProgram } from './process.ts'
import { report } from './report.ts'

/** A real `easynetd` that is attacked, with a program of its own and another device that calls it. */
export interface Victim extends AsyncDisposable, Target {
  daemon: Daemon
  inspector: Inspector
  /** Processor time that the daemon has used, in ms. */
  cpuMs(): number
  /** Lines of its program: one for each run of `once`. */
  runs(): string[]
  /** Calls it all the time, until `Siege.end()`. */
  besiege(name: string): Promise<Siege>
}

/** An attack on a victim, with an honest caller at the same time. */
export interface Siege {
  /**
   * Checks that the daemon lives, that each honest call was answered, and that its memory is back.
   *
   * @param grownBy - most bytes more in use than before the attack
   */
  end(facts: Record<string, number | string>, grownBy: number): Promise<void>
}

const MiB = 1024 * 1024

export interface VictimInit {
  /** Flags of the daemon. */
  args?: string[]
  /** Flags of its Node. */
  nodeOptions?: string
}

export async function startVictim({ args = [], nodeOptions = '' }: VictimInit = {}): Promise<Victim> {
  await using stack = new AsyncDisposableStack()
  const daemon = stack.use(
    await startDaemon({
      args: ['--name', 'victim', ...args],
      env: { NODE_OPTIONS: `--inspect=127.0.0.1:0 ${nodeOptions}` },
    }),
  )
  const inspector = stack.use(await inspect(daemon.stderr()))
  const program = stack.use(startProgram('victim-program.ts', daemon.home))
  const bootstrap = ['--bootstrap', addressOf(daemon)]
  const friend = stack.use(await startDaemon({ args: ['--name', 'friend', ...bootstrap] }))
  await eventually(() => program.lines.includes('ready'))
  await untilKnown(friend, 'text.upper', 'never.reads')
  const honest = stack.use(startProgram('honest-program.ts', friend.home))
  await honestCalls(honest)
  const parts = stack.move()
  return {
    daemon,
    inspector,
    peerId: daemon.peerId,
    addresses: [addressOf(daemon)],
    cpuMs: () => cpuMsOf(daemon.pid),
    runs: () => program.lines.filter((line) => line.startsWith('ran ')),
    async besiege(name) {
      await honestCalls(honest)
      const before = await inspector.memory()
      // The measuring itself holds calls up.
      await honestCalls(honest)
      const startedAt = performance.now()
      const cpuBefore = cpuMsOf(daemon.pid)
      return {
        async end(facts, grownBy) {
          const during = await honestCalls(honest)
          const cpuMs = cpuMsOf(daemon.pid) - cpuBefore
          const ms = performance.now() - startedAt
          // What is still on its way, and timers of half-closed streams, take a while.
          await expect
            .poll(async () => (await inspector.memory()).liveBytes - before.liveBytes, {
              timeout: 15_000,
              interval: 500,
            })
            .toBeLessThan(grownBy)
          const after = await inspector.memory()
          const calm = await honestCalls(honest)
          expect([...during.failures, ...calm.failures]).toEqual([])
          expect(Math.min(during.times.length, calm.times.length)).toBeGreaterThan(0)
          expect(daemon.stderr()).not.toContain('was not handled')
          expect(await inspector.evaluate('Object.keys(Object.prototype)')).toEqual([])
          report(name, {
            ...facts,
            seconds: (ms / 1_000).toFixed(1),
            cpu: `${Math.round((100 * cpuMs) / ms)} %`,
            'honest calls': during.times.length,
            'p50 ms': quantile(during.times, 0.5).toFixed(1),
            'p99 ms': quantile(during.times, 0.99).toFixed(1),
            'live MiB': `${mib(before.liveBytes)} -> ${mib(after.liveBytes)}`,
            'RSS MiB': `${mib(before.residentBytes)} -> ${mib(after.residentBytes)}`,
          })
        },
      }
    },
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  }
}

interface HonestCalls {
  times: number[]
  failures: string[]
}

/** What the honest caller has seen since it was asked last; waits until there is something. */
async function honestCalls(honest: Program): Promise<HonestCalls> {
  const seen: HonestCalls = { times: [], failures: [] }
  await eventually(async () => {
    const { times, failures } = JSON.parse(await honest.ask('')) as HonestCalls
    seen.times.push(...times)
    seen.failures.push(...failures)
    return seen.times.length > 0
  }, 15_000)
  return seen
}

export function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

function mib(bytes: number): string {
  return (bytes / MiB).toFixed(0)
}

/** In ticks of 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}
