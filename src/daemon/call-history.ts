import { EasyNetError } from '../errors/error.ts'
import {
  ageMs,
  type CallOutcome,
  type CallQuestion,
  type CallRecord,
  type LoggedCall,
} from '../model/call.ts'
import type { Value } from '../model/value.ts'
import type { CallLog } from '../storage/call-log.ts'
import type { Clock } from '../util/clock.ts'

const SHOWN = 200
const ASK_TIMEOUT_MS = 5_000

export interface CallHistory {
  /** Once at the start: settles what an earlier daemon left running, as far as this device knows. */
  recover(selfId: string, signal: AbortSignal): Promise<void>
  /** Newest first. */
  list(): CallRecord[]
  /** Asks the provider when the outcome is not known here. @throws `unknown_call` */
  find(id: string, signal: AbortSignal): Promise<CallRecord>
}

export interface CallHistoryComponents {
  log: CallLog
  isRunning: (id: string) => boolean
  /** Asks a provider how a call of ours ended. */
  ask: (peerId: string, question: CallQuestion, signal: AbortSignal) => Promise<CallOutcome>
  clock: Clock
}

/** The calls of this device, with open questions put to the providers. */
export function createCallHistory({ log, isRunning, ask, clock }: CallHistoryComponents): CallHistory {
  const settle = (record: LoggedCall, outcome: CallOutcome): CallRecord => {
    // That it was done is certain; the provider only still has the result, or not.
    if (record.state === 'done' && outcome.state !== 'done') return toCallRecord(record)
    if (outcome.state === 'running') return toCallRecord({ ...record, state: 'running' })
    if (outcome.state === 'forgotten') {
      return toCallRecord({ ...record, state: 'unknown', error: forgotten().toJSON() })
    }
    const state = outcome.state === 'never' ? 'failed' : outcome.state
    const settled: LoggedCall = { ...record, state, endedAt: record.endedAt ?? clock.now() }
    const error = errorOf(outcome) ?? record.error
    if (error !== undefined && state !== 'done') settled.error = error
    else delete settled.error
    if (record.state !== state) log.note(settled)
    return toCallRecord(settled, outcome.state === 'done' ? outcome.result : undefined)
  }

  return {
    list: () =>
      log.recent(SHOWN).map((record) => toCallRecord(isRunning(record.id) ? record : stopped(record))),
    async recover(selfId, signal) {
      for (const record of log.running()) {
        if (isRunning(record.id)) continue
        if (record.peerId === selfId)
          settle(record, await ask(selfId, questionAbout(record, clock.now()), signal))
        else log.note(stopped(record))
      }
    },
    async find(id, signal) {
      const record = log.find(id)
      if (record === undefined) {
        throw new EasyNetError('unknown_call', `No call with the id ${id.slice(0, 64)} is known here.`, {
          hint: 'See the last calls: easynet ps --all',
        })
      }
      if (isRunning(id)) return toCallRecord(record)
      const isOpen = record.state === 'running' || record.state === 'unknown' || record.state === 'done'
      if (!isOpen || record.peerId === undefined) return toCallRecord(closed(record))
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)])
        return settle(record, await ask(record.peerId, questionAbout(record, clock.now()), limit))
      } catch {
        // The provider is away: what we know is still true.
        return toCallRecord(record.state === 'running' ? { ...record, state: 'unknown' } : record)
      }
    },
  }
}

/** An earlier daemon made it, and nobody here waits for it. */
function stopped(record: LoggedCall): LoggedCall {
  if (record.state !== 'running') return record
  return record.peerId === undefined ? closed(record) : { ...record, state: 'unknown' }
}

function questionAbout({ id, startedAt, idempotent }: LoggedCall, now: number): CallQuestion {
  return { id, ageMs: ageMs(startedAt, now), once: idempotent === false }
}

/**
 * Running in the books of an earlier daemon, but it was never sent anywhere. (A call of an idempotent
 * function may have been, a moment before the daemon died; it may be sent again all the same.)
 */
function closed(record: LoggedCall): LoggedCall {
  return record.state === 'running' ? { ...record, state: 'failed', error: neverSent().toJSON() } : record
}

function neverSent(): EasyNetError {
  return new EasyNetError('peer_unreachable', 'The daemon ended before it had sent the call.')
}

function forgotten(): EasyNetError {
  return new EasyNetError('outcome_unknown', 'The provider no longer remembers whether the call ran.')
}

function errorOf(outcome: CallOutcome): CallRecord['error'] {
  if (outcome.state === 'failed') return outcome.error.toJSON()
  if (outcome.state === 'interrupted') {
    return new EasyNetError('interrupted', 'The provider was cut off while the function ran.').toJSON()
  }
  if (outcome.state === 'never') {
    return new EasyNetError('peer_unreachable', 'The call never reached the provider.').toJSON()
  }
  return undefined
}

function toCallRecord(record: LoggedCall, result?: Value): CallRecord {
  const { id, fn, state, startedAt, endedAt, error, peerId, peerName, idempotent } = record
  return {
    id,
    fn,
    role: 'caller',
    state,
    ...(peerId === undefined ? {} : { peer: { peerId, name: peerName ?? '' } }),
    ...(idempotent === undefined ? {} : { idempotent }),
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(error === undefined ? {} : { error }),
    ...(result === undefined ? {} : { result }),
  }
}
