import type { ErrorData } from '../errors/error.ts'
import { parseFunctionAddress } from '../model/address.ts'
import type { CallState, ExecutionNotes } from '../model/call.ts'
import type { ExecutionTimes } from '../runtimes/execution-times.ts'
import type { ExecutionObserver } from '../runtimes/ports.ts'
import type { CallObserver } from '../scheduler/ports.ts'
import { CallNotes } from '../telemetry/call-notes.ts'
import type { NodeEvents } from '../telemetry/events.ts'
import { createCallLines } from '../telemetry/call-lines.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { CallCounter } from '../telemetry/metrics.ts'
import { createNewest } from '../util/newest.ts'
import type { Clock } from '../util/clock.ts'

/** Calls whose steps are remembered, those made and those run. */
const NOTED_CALLS = 10_000

export interface ObserversComponents {
  events: NodeEvents
  clock: Clock
  logger: Logger
  /** Absent when nobody measures this node. */
  metrics?: CallCounter | undefined
}

/** Whatever is noted of calls while they go by: events, numbers and steps. */
export interface Observers {
  /** For the calls that this device makes. */
  calls: CallObserver
  /** For the calls that it runs. */
  runs: Omit<ExecutionObserver, 'unwritten'>
  /** Calls made that ended since the start. */
  counts: { done: number; failed: number }
  notesOfCall: (id: string) => CallNotes | undefined
  notesOfRun: (callerId: string, id: string) => ExecutionNotes | undefined
}

export function createObservers({ events, clock, logger, metrics }: ObserversComponents): Observers {
  const logCall = createCallLines(logger, clock)
  const counts = { done: 0, failed: 0 }
  const made = createNewest<CallNotes>(NOTED_CALLS)
  const ran = createNewest<ExecutionTimes>(NOTED_CALLS)
  return {
    counts,
    notesOfCall: (id) => made.find((call) => call.id === id),
    notesOfRun: (callerId, id) => ran.find((run) => run.id === id && run.caller === callerId)?.notes(),
    calls: {
      started({ id, fn }, traceparent) {
        events.callStarted(id, fn, 'caller', undefined)
        const notes = new CallNotes(id, traceparent, clock)
        made.add(notes)
        return notes
      },
      ended({ id, fn, peerId, peerName, state, error }, durationMs, path) {
        counts[state === 'done' ? 'done' : 'failed'] += 1
        const peer = peerId === undefined ? undefined : { peerId, name: peerName ?? '' }
        const end = { state, durationMs, path, error }
        events.callEnded(id, fn, 'caller', peer, end)
        metrics?.ended('caller', parseFunctionAddress(fn).name, error?.code, durationMs)
        logCall(id, fn, 'caller', peerId, end)
      },
    },
    runs: {
      received: (times) => ran.add(times),
      started: ({ id, fn, caller }) => events.callStarted(id, fn, 'provider', caller),
      ended({ id, fn, caller }, durationMs, error) {
        const end = { state: stateOf(error), durationMs, path: undefined, error }
        events.callEnded(id, fn, 'provider', caller, end)
        metrics?.ended('provider', fn, error?.code, durationMs)
        logCall(id, fn, 'provider', caller.peerId, end)
      },
    },
  }
}

function stateOf(error: ErrorData | undefined): CallState {
  if (error === undefined) return 'done'
  return error.reason === 'interrupted' ? 'interrupted' : 'failed'
}
