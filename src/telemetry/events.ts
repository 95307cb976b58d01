import type { ErrorData } from '../errors/error.ts'
import type { CallPath, CallState, PeerRef } from '../model/call.ts'
import type { NodeEvent } from '../model/views.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { onAbort } from '../util/signals.ts'

/**
 * What happens on this device, for people and programs that watch. It informs; nothing in the daemon
 * may depend on somebody listening.
 */
export interface NodeEvents {
  peerConnected(peer: PeerRef, path: 'direct' | 'relayed'): void
  peerDisconnected(peer: PeerRef): void
  /** @param functions - names of everything that it offers now */
  peerFunctions(peer: PeerRef, functions: readonly string[]): void
  functionRegistered(name: string, version: string): void
  functionUnregistered(name: string): void
  callStarted(call: CallFacts): void
  callEnded(call: CallFacts & CallEnd): void
  draining(): void
  /**
   * Events after `lastId` that are still kept, then new ones; only new ones without `lastId`. Ends when
   * `signal` aborts. A reader that is slower than the ring loses the oldest; the next event it gets says
   * how many in `data.missed`. An id from before a restart starts at the oldest event kept.
   */
  follow(lastId: number | undefined, signal: AbortSignal): AsyncIterable<NodeEvent>
}

export interface CallFacts {
  id: string
  fn: string
  role: 'caller' | 'provider'
  /** The other device, once it is known. */
  peer?: PeerRef
}

export interface CallEnd {
  state: CallState
  durationMs: number
  path?: CallPath
  error?: ErrorData
}

export interface NodeEventsInit {
  /** Events kept for readers that come back. @default 1024 */
  capacity?: number
  clock?: Clock
}

export function createNodeEvents(init: NodeEventsInit = {}): NodeEvents {
  const capacity = init.capacity ?? 1_024
  const clock = init.clock ?? systemClock
  const ring: NodeEvent[] = []
  let newestId = 0
  const waiting = new Set<() => void>()

  const emit = (type: NodeEvent['type'], data: Record<string, unknown>): void => {
    newestId += 1
    ring[newestId % capacity] = { id: newestId, type, at: clock.now(), data }
    for (const wake of waiting) wake()
    waiting.clear()
  }
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
      const oldestId = Math.max(1, newestId - capacity + 1)
      const missed = Math.max(0, oldestId - position - 1)
      position += missed + 1
      const event = ring[position % capacity]
      if (event === undefined) continue
      yield missed === 0 ? event : { ...event, data: { ...event.data, missed } }
    }
  }

  return {
    peerConnected: (peer, path) => emit('peer:connect', { peer, path }),
    peerDisconnected: (peer) => emit('peer:disconnect', { peer }),
    peerFunctions: (peer, functions) => emit('peer:functions', { peer, functions: [...functions] }),
    functionRegistered: (name, version) => emit('function:register', { name, version }),
    functionUnregistered: (name) => emit('function:unregister', { name }),
    callStarted: (call) => emit('call:start', { ...call }),
    callEnded: (call) => emit('call:end', { ...call }),
    draining: () => emit('daemon:draining', {}),
    follow: (lastId, signal) => read(startOf(lastId, newestId), signal),
  }
}

/** The last event that a reader has seen; an id that this daemon has not given out yet counts as none. */
function startOf(lastId: number | undefined, newestId: number): number {
  if (lastId === undefined) return newestId
  return lastId > newestId || lastId < 0 ? 0 : lastId
}
