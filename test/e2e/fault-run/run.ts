import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startDaemon } from '../support/daemon.ts'
import { untilKnown } from '../support/mesh.ts'
import { type CheckedCall, checkCalls, checkRecords, describe } from './check.ts'
import { createRandom, type Plan, planCalls } from './plan.ts'
import { type CallNote, type Effect, readRecords } from './records.ts'
import {
  killSome,
  type ProgramVictim,
  startDaemonVictim,
  startProgramVictim,
  type Victim,
} from './victims.ts'

const LAST_KILLS_MS = 2_000

export interface FaultRunInit {
  /** Decides the calls, the victims and the pauses. How the processes interleave is not in our hands. */
  seed: number
  /** All calls, in three phases. */
  calls: number
  /** @default 30_000 */
  deadlineMs?: number
  /** Mean time between two calls. @default 200 */
  gapMs?: number
  /** Hears of every kill. */
  onKill?: (text: string) => void
}

export interface FaultRun {
  seed: number
  calls: CheckedCall[]
  /** What must not be, in words. */
  violations: string[]
  /** Kills by victim. */
  kills: Record<string, number>
  durationMs: number
}

/**
 * Makes calls through real daemons while processes are killed with SIGKILL and started again: first on
 * the provider's side, then on the caller's, then on any, with a second provider.
 */
export async function runFaults(init: FaultRunInit): Promise<FaultRun> {
  const { seed, deadlineMs = 30_000, gapMs = 200 } = init
  const random = createRandom(seed)
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'easynet-faults-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [providerHome, callerHome] = ['p', 'c'].map((name) => join(folder, name)) as [string, string]
  for (const home of [providerHome, callerHome]) mkdirSync(home, { mode: 0o700 })

  const effects = join(folder, 'effects')
  const boot = stack.use(await startDaemon({ args: ['--name', 'boot'] }))
  const provider = stack.use(await startDaemonVictim('provider', providerHome, boot))
  const caller = stack.use(await startDaemonVictim('caller', callerHome, boot))
  const serving = stack.use(
    await startProgramVictim('provider', ['provider.ts', providerHome, effects], true),
  )
  await untilKnown(caller.daemon(), 'once', 'again')

  const kills: Record<string, number> = {}
  const onKill = (name: string, outageMs: number): void => {
    kills[name] = (kills[name] ?? 0) + 1
    const at = ((performance.now() - startedAt - outageMs) / 1_000).toFixed(1)
    init.onKill?.(`${at} s  ${name}, back after ${Math.round(outageMs)} ms`)
  }
  const done: CheckedCall[] = []
  const notes: CallNote[] = []
  const violations: string[] = []
  const phase = async (count: number, victims: (calling: ProgramVictim) => Victim[]): Promise<void> => {
    const calls = planCalls(random, done.length, count, gapMs)
    const [planFile, notesFile] = [join(folder, 'plan.json'), join(folder, `notes-${done.length}`)]
    writeFileSync(planFile, JSON.stringify({ deadlineMs, calls } satisfies Plan))
    await using calling = await startProgramVictim(
      'caller',
      ['caller.ts', callerHome, planFile, notesFile],
      false,
    )
    const over = new AbortController()
    const killing = killSome(random, victims(calling), over.signal, onKill)
    // While calls are begun, and a little longer: then whatever can be delivered has to be.
    await wait((calls.at(-1)?.startAfterMs ?? 0) + LAST_KILLS_MS)
    over.abort()
    await killing
    const code = await Promise.race([
      calling.finished,
      wait(3 * deadlineMs, 'was still waiting', { ref: false }),
    ])
    if (code !== 0) violations.push(`the calling program ended with ${code}`)
    const own = readRecords<CallNote>(notesFile)
    const checked = checkCalls(calls, own, readRecords<Effect>(effects), deadlineMs)
    notes.push(...own)
    done.push(...checked.calls)
    violations.push(...(await describe(caller.daemon(), checked.violations)))
  }
  const part = Math.ceil(init.calls / 3)
  await phase(part, () => [provider, serving])
  await phase(part, (calling) => [caller, calling])
  const second = stack.use(await startProgramVictim('second', ['provider.ts', boot.home, effects], true))
  await phase(init.calls - 2 * part, (calling) => [provider, serving, caller, calling, second])

  violations.push(...(await checkRecords(caller.daemon(), notes)))
  for (const victim of [caller, provider]) {
    await victim.kill()
    violations.push(...victim.problems)
  }
  return { seed, calls: done, violations, kills, durationMs: performance.now() - startedAt }
}
