/** What is asked of a peer in the table when it is full. */
export interface Evictable {
  peerId: string
  /** Who told us of it; empty when we have met it ourselves. */
  source: string
  bytes: number
  lastSeenAt: number
}

/** An entry costs memory without an advert too. */
const ENTRY_BYTES = 1_024

/**
 * Whom to forget: always the longest unseen of the source that takes most room, so that one peer that
 * tells us of thousands of devices pushes out its own and not those that others told us of.
 *
 * @param entries - how many have to go
 * @param bytes - how many bytes have to go
 */
export function chooseEvicted(peers: readonly Evictable[], entries: number, bytes: number): Evictable[] {
  const sources = new Map<string, { weight: number; peers: Evictable[] }>()
  for (const peer of [...peers].sort((a, b) => b.lastSeenAt - a.lastSeenAt)) {
    const source = sources.get(peer.source) ?? { weight: 0, peers: [] }
    source.weight += weightOf(peer)
    source.peers.push(peer)
    sources.set(peer.source, source)
  }
  const evicted: Evictable[] = []
  let freed = 0
  while (evicted.length < entries || freed < bytes) {
    let heaviest: { weight: number; peers: Evictable[] } | undefined
    for (const source of sources.values()) {
      if (heaviest === undefined || source.weight > heaviest.weight) heaviest = source
    }
    const peer = heaviest?.peers.pop()
    if (heaviest === undefined || peer === undefined) break
    heaviest.weight -= weightOf(peer)
    freed += peer.bytes
    evicted.push(peer)
  }
  return evicted
}

function weightOf(peer: Evictable): number {
  return peer.bytes + ENTRY_BYTES
}
