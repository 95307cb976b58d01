import { hostOf, ofLargestGroups } from './hosts.ts'

/** What is asked of a connection when there are too many. */
export interface Crowded {
  peerId: string
  remoteAddr: { toString(): string }
  direction: 'inbound' | 'outbound'
  /** Epoch ms. */
  openedAt: number
}

/**
 * Which connections to close so that `max` are left: always one of the host that has most, so that a
 * crowd of invented devices keeps nobody out but itself. Of these the newest that somebody else opened,
 * those without running calls first; peers that are kept only when nothing else is left.
 */
export function chooseExcess<C extends Crowded>(
  connections: readonly C[],
  max: number,
  is: { kept: (peerId: string) => boolean; busy: (peerId: string) => boolean },
): C[] {
  const costOf = (connection: C): number =>
    (is.kept(connection.peerId) ? 4 : 0) +
    (connection.direction === 'outbound' ? 2 : 0) +
    (is.busy(connection.peerId) ? 1 : 0)
  const left = new Set(connections)
  const chosen: C[] = []
  while (left.size > max) {
    const candidates = [...left].filter((connection) => costOf(connection) < 4)
    const group = ofLargestGroups(candidates.length > 0 ? candidates : left, (connection) =>
      hostOf(connection.remoteAddr.toString()),
    )
    const [cheapest] = group.toSorted((a, b) => costOf(a) - costOf(b) || b.openedAt - a.openedAt)
    if (cheapest === undefined) break
    left.delete(cheapest)
    chosen.push(cheapest)
  }
  return chosen
}
