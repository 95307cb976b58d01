import type { Clock } from '../util/clock.ts'
import { MAX_LOST_PEERS, MAX_RECONNECTING, MAX_RETRY_MS, MIN_RETRY_MS, RECONNECT_FOR_MS } from './limits.ts'

export interface RedialComponents {
  clock: Clock
  /** False for a peer that is connected again, blocked, or would only be closed again. */
  isWanted: (peerId: string) => boolean
  /** Resolves when the attempt is over: true when the peer was reached. */
  dial: (peerId: string) => Promise<boolean>
}

/** Dials lost peers again: soon after a short absence, seldom after a long one, for an hour. */
export interface Redial extends Disposable {
  /** When there are too many the one longest away is given up. */
  lost(peerId: string): void
}

interface LostPeer {
  /** On the monotonic clock. */
  since: number
  nextAt: number
  isDialled: boolean
}

const FIRST_RETRY_MS = 500
/** One timer for all of them. */
const TICK_MS = 250

/**
 * How long to wait before a peer that has been away for so long is dialled again. A cut of 30 s is healed a second
 * after its end, a long absence costs little.
 */
export function retryPauseMs(awayMs: number): number {
  return Math.min(Math.max(MIN_RETRY_MS, awayMs / 30), MAX_RETRY_MS)
}

export function createRedial({ clock, isWanted, dial }: RedialComponents): Redial {
  /** The one longest away first. */
  const peers = new Map<string, LostPeer>()
  let dialling = 0
  let timer: NodeJS.Timeout | undefined

  const attempt = async (peerId: string, peer: LostPeer): Promise<void> => {
    dialling += 1
    peer.isDialled = true
    const isBack = await dial(peerId)
    dialling -= 1
    peer.isDialled = false
    // It may have been lost once more meanwhile.
    if (isBack && peers.get(peerId) === peer) peers.delete(peerId)
    peer.nextAt = clock.monotonic() + retryPauseMs(clock.monotonic() - peer.since)
  }
  const tick = (): void => {
    const now = clock.monotonic()
    const due = [...peers].filter(([, peer]) => !peer.isDialled && peer.nextAt <= now)
    // Who has waited longest for its turn.
    for (const [peerId, peer] of due.sort(([, one], [, other]) => one.nextAt - other.nextAt)) {
      if (!isWanted(peerId) || now - peer.since >= RECONNECT_FOR_MS) peers.delete(peerId)
      else if (dialling < MAX_RECONNECTING) void attempt(peerId, peer)
    }
    if (peers.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    lost(peerId) {
      const since = clock.monotonic()
      peers.delete(peerId)
      peers.set(peerId, { since, nextAt: since + FIRST_RETRY_MS, isDialled: false })
      const [longestAway = peerId] = peers.keys()
      if (peers.size > MAX_LOST_PEERS) peers.delete(longestAway)
      timer ??= setInterval(tick, TICK_MS)
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      peers.clear()
    },
  }
}
