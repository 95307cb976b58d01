import type { Reason } from '../../src/errors/reasons.ts'
import { type Running, startProgram } from './processes.ts'
import type { Order, Report, Wrong } from './program.ts'
import type { Watch } from './watch.ts'

/** A long-lived program that offers functions and calls those of another device. */
export interface Worker extends AsyncDisposable {
  program: Running
  /** Makes so many small calls that whatever is remembered of calls is at its limit afterwards. */
  fillUp(): Promise<void>
  start(callsPerSecond: number): void
  /** How it goes, in a few words. */
  summary(): string
  /** Resolves when its last call has ended. */
  stop(): Promise<Report>
}

/** More than any daemon remembers of calls. */
const FILL_CALLS = 10_500
/** What a call may end with when a device was silent for so long that others took it for dead. */
const LOST: readonly (Reason | undefined)[] = [
  'peer_unreachable',
  'outcome_unknown',
  'interrupted',
  'daemon_unreachable',
  'deadline_exceeded',
]
const MAX_TOLD = 20

/** @param peer - name of the device that it calls */
export async function startWorker(home: string, name: string, peer: string): Promise<Worker> {
  const program = await startProgram(home, name, 'worker')
  const filled = Promise.withResolvers<void>()
  const stopped = Promise.withResolvers<void>()
  let last: Report = { counts: {}, wrong: [], running: 0, slowestMs: 0 }
  const order = (what: Order): void => void program.child.send(what)
  program.child.on('message', (message: { report?: Report; filled?: boolean; stopped?: boolean }) => {
    if (message.report !== undefined) last = message.report
    if (message.filled === true) filled.resolve()
    if (message.stopped === true) stopped.resolve()
  })
  program.child.once('exit', () => {
    filled.resolve()
    stopped.resolve()
  })
  return {
    program,
    async fillUp() {
      order({ fill: { peer, calls: FILL_CALLS } })
      await filled.promise
    },
    start: (rate) => order({ start: { peer, rate } }),
    summary() {
      const calls = Object.values(last.counts).reduce((sum, count) => sum + count, 0)
      return `${calls} calls, slowest ${last.slowestMs.toFixed(0)} ms`
    },
    async stop() {
      order({ stop: true })
      await stopped.promise
      return last
    },
    [Symbol.asyncDispose]: async () => program[Symbol.asyncDispose](),
  }
}

/** Prints what a worker did; returns what was wrong with it. */
export function judge(title: string, { counts, wrong }: Report, watch: Watch): string[] {
  console.log(
    `${title}: ${Object.entries(counts)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(', ')}`,
  )
  const starvedMs = ({ from, to, reason }: Wrong): number =>
    LOST.includes(reason) ? watch.starvedMs(from, to) : 0
  const excused = wrong.filter((one) => starvedMs(one) > 0)
  if (excused.length > 0) {
    const longest = Math.max(...excused.map(starvedMs))
    console.log(
      `${title}: ${excused.length} calls lost their device while a process got no processor for up to ${(longest / 1_000).toFixed(1)} s; not counted`,
    )
  }
  const counted = wrong.filter((one) => starvedMs(one) === 0).map(({ what }) => `${title}: ${what}`)
  const more = counted.length > MAX_TOLD ? [`${title}: ${counted.length - MAX_TOLD} more wrong verdicts`] : []
  return [...counted.slice(0, MAX_TOLD), ...more]
}
