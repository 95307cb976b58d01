import type { CallTimeline, ExecutionNotes, TimelineEntry } from '../model/call.ts'
import type { CallNotes } from '../telemetry/call-notes.ts'

export interface CallTimelineComponents {
  selfId: string
  /** What this device noted of a call of its own. */
  notesOf: (id: string) => CallNotes | undefined
  /** Asks the provider for its part. */
  ask: (peerId: string, id: string, signal: AbortSignal) => Promise<ExecutionNotes | undefined>
}

const STEPS: Record<string, Pick<TimelineEntry, 'where' | 'what'>> = {
  chosen: { where: 'caller', what: 'provider chosen' },
  sent: { where: 'wire', what: 'sent' },
  chunk: { where: 'wire', what: 'first chunk' },
  answered: { where: 'wire', what: 'answer received' },
  failed: { where: 'caller', what: 'attempt failed' },
  ended: { where: 'caller', what: 'ended' },
}

/** Tells a call step by step, with the provider's own steps put between those of this device. */
export function createCallTimeline({ selfId, notesOf, ask }: CallTimelineComponents) {
  return async function timelineOf(id: string, signal: AbortSignal): Promise<CallTimeline | undefined> {
    const call = notesOf(id)
    if (call === undefined) return undefined
    // By the clock of the call's start, so that a clock that is set meanwhile does not tear it apart.
    const instant = (monotonic: number): number => rounded(call.startedOn + monotonic - call.startedAt)
    const own = call.notes.map(({ at, step, peer, detail }): TimelineEntry => {
      const { where, what } = STEPS[step] ?? { where: 'caller', what: step }
      const told = detail === undefined ? what : `${what}: ${detail}`
      return { at: instant(at), where, what: told, ...(peer === undefined ? {} : { peer }) }
    })
    const start: TimelineEntry[] = [
      { at: call.startedOn, where: 'app', what: 'called' },
      { at: call.startedOn, where: 'caller', what: 'accepted' },
    ]
    const theirs = await providerSteps(call, instant, async (peerId) => ask(peerId, id, signal))
    // What stays on this device is on no wire.
    const travelled = own.filter(({ where, peer }) => where !== 'wire' || peer?.peerId !== selfId)
    const timeline = [...start, ...travelled, ...theirs].sort((one, other) => one.at - other.at)
    return { traceparent: call.traceparent, timeline }
  }
}

async function providerSteps(
  { notes }: CallNotes,
  instant: (monotonic: number) => number,
  ask: (peerId: string) => Promise<ExecutionNotes | undefined>,
): Promise<TimelineEntry[]> {
  const chosen = notes.findLastIndex(({ step }) => step === 'chosen')
  const attempt = chosen === -1 ? [] : notes.slice(chosen)
  const sent = attempt.find(({ step }) => step === 'sent')
  if (sent?.peer === undefined) return []
  const { peer } = sent
  // A provider that is away, or of a version without notes: the rest is true without them.
  const theirs = await ask(peer.peerId).catch(() => undefined)
  if (theirs === undefined) return []
  const back = attempt.find(({ step }) => step === 'answered' || step === 'failed' || step === 'ended')
  const received = sent.at + oneWay(sent.at, back?.at, theirs)
  const entry = (offset: number | undefined, where: TimelineEntry['where'], what: string): TimelineEntry[] =>
    offset === undefined ? [] : [{ at: instant(received + offset), where, what, peer }]
  return [
    ...entry(0, 'provider', 'received'),
    ...entry(theirs.queued, 'provider', 'queued'),
    ...entry(theirs.started, 'function', 'started'),
    ...entry(theirs.ended, 'function', 'ended'),
    ...entry(theirs.answered, 'provider', 'answered'),
  ]
}

/** Two clocks do not agree: what the provider did not need was spent on the way, half of it each way. */
function oneWay(
  sent: number,
  back: number | undefined,
  { started, ended, answered }: ExecutionNotes,
): number {
  if (back === undefined) return 0
  return Math.max(0, back - sent - (answered ?? ended ?? started ?? 0)) / 2
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
