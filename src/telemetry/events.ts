import type { ErrorData } from '../errors/error.ts'
import type { CallPath, CallState, PeerRef } from '../model/call.ts'
import type { NodeEvent } from '../model/views.ts'
import type { Role } from './call-tally.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { onAbort } from '../util/signals.ts'

/**
 * What happens on this device, for people and programs that watch. It informs; nothing in the daemon
 * may depend on somebody listening.
 */
export interface NodeEvents {
  peerConnected(peer: PeerRef, path: 'direct' | 'relayed'): void
  peerDisconnected(peer: PeerRef): void
  /** @param functions - names of everything that it offers now; the first 64 are told */
  peerFunctions(peer: PeerRef, functions: readonly string[]): void
  functionRegistered(name: string, version: string): void
  functionUnregistered(name: string): void
  /** @param peer - the other device, once it is known */
  callStarted(id: string, fn: string, role: Role, peer: PeerRef | undefined): void
  callEnded(id: string, fn: string, role: Role, peer: PeerRef | undefined, end: CallEnd): void
  draining(): void
  /**
   * Events after `lastId` that are still kept, then new ones; only new ones without `lastId`. Ends when
   * `signal` aborts. A reader that is slower than the ring loses the oldest; the next event it gets says
   * how many in `data.missed`. An id of an earlier run starts at the oldest event kept.
   */
  follow(lastId: number | undefined, signal: AbortSignal): AsyncIterable<NodeEvent>
}

export interface CallEnd {
  state: CallState
  durationMs: number
  path: CallPath | undefined
  error: ErrorData | undefined
}

/** Names in one event: a thousand events are kept, and others decide how many functions they offer. */
const MAX_NAMES = 64

export interface NodeEventsInit {
  /** Events kept for readers that come back. @default 1024 */
  capacity?: number
  clock?: Clock
}

/** The events of calls are many, and read by few: what a reader gets is made when it reads. */
class CallEvent {
  readonly id: number
  readonly type: NodeEvent['type']
  readonly at: number
  readonly #call: string
  readonly #fn: string
  readonly #role: Role
  readonly #peer: PeerRef | undefined
  readonly #end: CallEnd | undefined

  constructor(
    id: number,
    at: number,
    call: string,
    fn: string,
    role: Role,
    peer: PeerRef | undefined,
    end: CallEnd | undefined,
  ) {
    this.id = id
    this.type = end === undefined ? 'call:start' : 'call:end'
    this.at = at
    this.#call = call
    this.#fn = fn
    this.#role = role
    this.#peer = peer
    this.#end = end
  }

  get data(): Record<string, unknown> {
    const peer = this.#peer === undefined ? {} : { peer: this.#peer }
    const { path, error, ...end } = this.#end ?? {}
    const rest = { ...(path === undefined ? {} : { path }), ...(error === undefined ? {} : { error }) }
    return { id: this.#call, fn: this.#fn, role: this.#role, ...peer, ...end, ...rest }
  }
}

export function createNodeEvents(init: NodeEventsInit = {}): NodeEvents {
  const capacity = init.capacity ?? 1_024
  const clock = init.clock ?? systemClock
  const ring: (NodeEvent | CallEvent)[] = []
  // So that an id of an earlier run of the daemon is never one of this run, however much happened since.
  const firstId = clock.now() * 1_000 + 1
  let newestId = firstId - 1
  const waiting = new Set<() => void>()

  const add = (event: NodeEvent | CallEvent): void => {
    ring[event.id % capacity] = event
    if (waiting.size === 0) return
    for (const wake of waiting) wake()
    waiting.clear()
  }
  const emit = (type: NodeEvent['type'], data: Record<string, unknown>): void =>
    add({ id: (newestId += 1), type, at: clock.now(), data })
  const emitCall = (call: string, fn: string, role: Role, peer: PeerRef | undefined, end?: CallEnd): void =>
    add(new CallEvent((newestId += 1), clock.now(), call, fn, role, peer, end))
  const nextEvent = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        unlink()
        waiting.delete(wake)
        resolve()
      }
      waiting.add(wake)
      const unlink = onAbort(signal, () => wake())
    })

  async function* read(lastRead: number, signal: AbortSignal): AsyncGenerator<NodeEvent> {
    // Readers keep a position, not a queue: a slow one costs no memory.
    let position = lastRead
    while (!signal.aborted) {
      if (position === newestId) {
        await nextEvent(signal)
        continue
      }
      const oldestId = Math.max(firstId, newestId - capacity + 1)
      const missed = Math.max(0, oldestId - position - 1)
      position += missed + 1
      const event = ring[position % capacity]
      if (event === undefined) continue
      const { id, type, at, data } = event
      yield { id, type, at, data: missed === 0 ? data : { ...data, missed } }
    }
  }

  return {
    peerConnected: (peer, path) => emit('peer:connect', { peer, path }),
    peerDisconnected: (peer) => emit('peer:disconnect', { peer }),
    peerFunctions: (peer, functions) =>
      emit('peer:functions', {
        peer,
        functions: functions.slice(0, MAX_NAMES),
        count: functions.length,
      }),
    functionRegistered: (name, version) => emit('function:register', { name, version }),
    functionUnregistered: (name) => emit('function:unregister', { name }),
    callStarted: emitCall,
    callEnded: emitCall,
    draining: () => emit('daemon:draining', {}),
    follow: (lastId, signal) => read(startOf(lastId, firstId, newestId), signal),
  }
}

/** The last event that a reader has seen; an id that this daemon has not given out counts as none. */
function startOf(lastId: number | undefined, firstId: number, newestId: number): number {
  if (lastId === undefined) return newestId
  return lastId < firstId || lastId > newestId ? firstId - 1 : lastId
}
