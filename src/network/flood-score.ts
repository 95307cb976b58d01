import { type Clock, systemClock } from '../util/clock.ts'
import { FLOOD_HALF_LIFE_MS, FLOOD_MESSAGES } from './limits.ts'

/** How far below zero peers are for sending more than they may. */
export interface FloodScore {
  /** A message came that was one too many. */
  note(peerId: string): void
  /** 0 for an honest peer. Below gossipsub's graylist threshold after `FLOOD_MESSAGES`; half of it passes by. */
  scoreOf(peerId: string): number
}

/** Below it nothing of a peer is read: gossipsub's default. */
const GRAYLIST_THRESHOLD = -80
const MAX_PEERS = 1_024

export function createFloodScore(clock: Clock = systemClock): FloodScore {
  const excess = new Map<string, { count: number; at: number }>()
  const countOf = (peerId: string): number => {
    const entry = excess.get(peerId)
    return entry === undefined
      ? 0
      : entry.count * 0.5 ** ((clock.monotonic() - entry.at) / FLOOD_HALF_LIFE_MS)
  }
  return {
    note(peerId) {
      const count = countOf(peerId) + 1
      excess.delete(peerId)
      excess.set(peerId, { count, at: clock.monotonic() })
      const [oldest = peerId] = excess.keys()
      if (excess.size > MAX_PEERS) excess.delete(oldest)
    },
    scoreOf: (peerId) => (countOf(peerId) / FLOOD_MESSAGES) * GRAYLIST_THRESHOLD,
  }
}
