import type { AdvertisedFunction } from '../model/function.ts'

interface Offer<Peer> {
  peer: Peer
  fn: AdvertisedFunction
}

/** Who offers a function, by its name, without a look at everybody. */
interface FunctionIndex<Peer> {
  /** Of two functions of one name the first counts. */
  add(peer: Peer, functions: readonly AdvertisedFunction[]): void
  remove(peer: Peer, functions: readonly AdvertisedFunction[]): void
  offersOf(name: string): Iterable<Offer<Peer>>
}

export function createFunctionIndex<Peer>(): FunctionIndex<Peer> {
  const offers = new Map<string, Map<Peer, Offer<Peer>>>()
  return {
    add(peer, functions) {
      for (const fn of functions) {
        const byPeer = offers.get(fn.name) ?? new Map<Peer, Offer<Peer>>()
        if (!byPeer.has(peer)) byPeer.set(peer, { peer, fn })
        offers.set(fn.name, byPeer)
      }
    },
    remove(peer, functions) {
      for (const { name } of functions) {
        const byPeer = offers.get(name)
        byPeer?.delete(peer)
        if (byPeer?.size === 0) offers.delete(name)
      }
    },
    offersOf: (name) => offers.get(name)?.values() ?? [],
  }
}
