import type { ErrorData } from '../errors/error.ts'
import { parseFunctionAddress } from '../model/address.ts'
import type { ExecutionNotes } from '../model/call.ts'
import type { ExecutionTimes } from '../runtimes/execution-times.ts'
import type { ExecutionObserver } from '../runtimes/ports.ts'
import type { CallObserver } from '../scheduler/ports.ts'
import { CallNotes } from '../telemetry/call-notes.ts'
import type { NodeEvents } from '../telemetry/events.ts'
import type { CallCounter } from '../telemetry/metrics.ts'
import { createNewest } from '../telemetry/newest.ts'
import type { Clock } from '../util/clock.ts'

/** Calls whose steps are remembered, those made and those run. */
const NOTED_CALLS = 10_000

export interface ObserversComponents {
  events: NodeEvents
  clock: Clock
  /** Absent when nobody measures this node. */
  metrics?: CallCounter | undefined
}

/** Whatever is noted of calls while they go by: events, numbers and steps. */
export interface Observers {
  /** For the calls that this device makes. */
  calls: CallObserver
  /** For the calls that it runs. */
  runs: ExecutionObserver
  /** Calls made that ended since the start. */
  counts: { done: number; failed: number }
  notesOfCall: (id: string) => CallNotes | undefined
  notesOfRun: (callerId: string, id: string) => ExecutionNotes | undefined
}

export function createObservers({ events, clock, metrics }: ObserversComponents): Observers {
  const counts = { done: 0, failed: 0 }
  const made = createNewest<CallNotes>(NOTED_CALLS)
  const ran = createNewest<ExecutionTimes>(NOTED_CALLS)
  return {
    counts,
    notesOfCall: (id) => made.find((call) => call.id === id),
    notesOfRun: (callerId, id) => ran.find((run) => run.id === id && run.caller === callerId)?.notes(),
    calls: {
      started({ id, fn, traceparent }) {
        events.callStarted({ id, fn, role: 'caller' })
        const notes = new CallNotes(id, traceparent, clock)
        made.add(notes)
        return notes
      },
      ended(call, durationMs, path) {
        counts[call.state === 'done' ? 'done' : 'failed'] += 1
        const { id, fn, state, error } = call
        const peer =
          call.peerId === undefined ? {} : { peer: { peerId: call.peerId, name: call.peerName ?? '' } }
        const rest = { ...(path === undefined ? {} : { path }), ...(error === undefined ? {} : { error }) }
        events.callEnded({ id, fn, role: 'caller', ...peer, state, durationMs, ...rest })
        metrics?.ended('caller', parseFunctionAddress(fn).name, error?.code, durationMs)
      },
    },
    runs: {
      received: (times) => ran.add(times),
      started: ({ id, fn, caller }) => events.callStarted({ id, fn, role: 'provider', peer: caller }),
      ended({ id, fn, caller }, durationMs, error) {
        events.callEnded({ id, fn, role: 'provider', peer: caller, durationMs, ...verdictOf(error) })
        metrics?.ended('provider', fn, error?.code, durationMs)
      },
    },
  }
}

function verdictOf(error: ErrorData | undefined) {
  if (error === undefined) return { state: 'done' as const }
  return { state: error.reason === 'interrupted' ? ('interrupted' as const) : ('failed' as const) }
}
