import type { CallRecord } from '../../../src/sdk/index.ts'
import type { Daemon } from '../support/daemon.ts'
import type { PlannedCall } from './plan.ts'
import type { CallNote, Effect, Verdict } from './records.ts'

/** The daemon's own deadline passes first; the rest is for a loaded machine. */
const SLACK_MS = 5_000

export interface CheckedCall extends PlannedCall {
  /** Absent when the call was met with silence. */
  end: Verdict | undefined
  /** How often its function started. */
  runs: number
}

export interface Violation {
  text: string
  /** Ids under which the call is known. */
  ids: string[]
}

/** What became of every call, and what must not have become of it. */
export function checkCalls(
  planned: readonly PlannedCall[],
  notes: readonly CallNote[],
  effects: readonly Effect[],
  deadlineMs: number,
): { calls: CheckedCall[]; violations: Violation[] } {
  const violations: Violation[] = []
  const calls = planned.map((call): CheckedCall => {
    const own = effects.filter(({ n }) => n === call.n)
    const accepted = notes.flatMap((note) =>
      note.event === 'accepted' && note.n === call.n ? [note.id] : [],
    )
    const ends = notes.filter((note) => note.event === 'end').filter(({ n }) => n === call.n)
    const [end] = ends
    const runs = own.filter(({ step }) => step === 'start').length
    const wrong =
      ends.length === 1 && end !== undefined
        ? wrongWith(call, end, own, deadlineMs)
        : [`has ${ends.length} verdicts`]
    for (const what of wrong) {
      violations.push({
        text: `call ${call.n} (${call.fn}, ${call.way}, ${runs} runs) ${what}: ${JSON.stringify({ end, own })}`,
        ids: [...new Set([...accepted, ...own.map(({ id }) => id)])],
      })
    }
    return { ...call, end, runs }
  })
  return { calls, violations }
}

function wrongWith(call: PlannedCall, end: Verdict, own: readonly Effect[], deadlineMs: number): string[] {
  const runs = own.filter(({ step }) => step === 'start').length
  const isFinished = own.some(({ step }) => step === 'end')
  const wrong: [string, boolean][] = [
    ['took longer than its deadline', end.tookMs > deadlineMs + SLACK_MS],
    ['ran more than once', call.fn === 'once' && runs > 1],
    ['was not delivered', call.fn === 'again' && end.verdict !== 'done'],
    ['has a result that nobody made', end.verdict === 'done' && (end.result !== call.n || !isFinished)],
    ['was said not to have run', end.verdict === 'failed' && end.retryable === true && runs > 0],
    ['ended with a bug', end.reason === 'internal' || end.reason === 'unknown_call'],
  ]
  return wrong.flatMap(([what, isSo]) => (isSo ? [what] : []))
}

/** Violations in words, with what the calling daemon knows of the steps of each call. */
export async function describe(daemon: Daemon, violations: readonly Violation[]): Promise<string[]> {
  const told: string[] = []
  for (const { text, ids } of violations) {
    const steps = await Promise.all(ids.map(async (id) => (await daemon.fetch(`/v1/calls/${id}`)).text()))
    told.push([text, ...steps].join('\n    '))
  }
  return told
}

/** Whether the daemon still tells of every call what its program was told. */
export async function checkRecords(daemon: Daemon, notes: readonly CallNote[]): Promise<string[]> {
  const violations: string[] = []
  const accepted = new Map<number, string>()
  for (const note of notes) if (note.event === 'accepted') accepted.set(note.n, note.id)
  for (const [n, id] of accepted) {
    const response = await daemon.fetch(`/v1/calls/${id}`)
    const record = (await response.json()) as Partial<CallRecord>
    const end = notes.find((note) => note.event === 'end' && note.n === n) as Verdict | undefined
    // Notes about calls that may run twice are written a little later: a crash may leave one open, never wrong.
    const isOpen = record.idempotent === true && record.state === 'unknown'
    const isSame = end?.verdict === 'done' ? record.state === 'done' || isOpen : record.state !== 'running'
    if (!response.ok || !isSame) {
      violations.push(
        `the record of call ${n} says ${JSON.stringify(record)}, its program was told ${end?.verdict}`,
      )
    }
  }
  return violations
}
