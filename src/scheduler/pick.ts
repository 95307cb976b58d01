import type { Candidate } from './ports.ts'

/**
 * The candidate with the fewest of our calls outstanding; among those the nearest. A device whose
 * distance is not known yet counts as far, not as unusable.
 *
 * @param outstanding - calls of ours that run at a peer now
 */
export function pickProvider(
  candidates: readonly Candidate[],
  outstanding: (peerId: string) => number,
): Candidate | undefined {
  let best: Candidate | undefined
  for (const candidate of candidates) {
    if (best === undefined || isBetter(candidate, best, outstanding)) best = candidate
  }
  return best
}

const UNKNOWN_RTT_MS = 1_000

function isBetter(a: Candidate, b: Candidate, outstanding: (peerId: string) => number): boolean {
  const more = outstanding(a.peer.peerId) - outstanding(b.peer.peerId)
  if (more !== 0) return more < 0
  return (a.rttMs ?? UNKNOWN_RTT_MS) < (b.rttMs ?? UNKNOWN_RTT_MS)
}
