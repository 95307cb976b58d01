import { EasyNetError } from '../errors/error.ts'
import type { Clock } from '../util/clock.ts'
import { onAbort, sleep } from '../util/signals.ts'
import { createSemaphore } from '../util/semaphore.ts'
import {
  MAX_NOT_FOUND,
  MAX_PEERS_ASKED,
  MAX_PROVIDERS_DIALLED,
  MAX_PROVIDERS_TRIED,
  NOT_FOUND_MS,
} from './limits.ts'
import type { PeerTable } from './peer-table.ts'
import type { DiscoveryNetwork, PeerAddresses, PullRequest } from './ports.ts'

export interface LookupComponents {
  network: Pick<DiscoveryNetwork, 'peerId' | 'connectedPeers' | 'findProviders'>
  table: Pick<PeerTable, 'providersOf'>
  clock: Clock
  connect: (peer: PeerAddresses) => Promise<void>
  /** Learns what a peer knows of others. */
  pull: (from: string, request: PullRequest) => Promise<void>
  /** True while connections are being made, so that more peers to ask may come. */
  isConnecting: () => boolean
  onFailure: (what: string, peer: string, error: unknown) => void
}

/** Time between two rounds: what was registered a moment ago needs it to get around. */
const ROUND_PAUSE_MS = 200

interface Search {
  ended: Promise<void>
  /** How many wait for it. */
  waiting: number
  stop: () => void
}

/**
 * Looks for providers of a function that nobody has announced to us: asks the connected peers what
 * they know, and the DHT. Ends at the first provider, when nobody is there to ask, or with the signal.
 * Who looks for the same name meanwhile waits for the same search; what was not found is not looked for
 * again for a moment.
 */
export function createLookup(components: LookupComponents) {
  const { table, clock } = components
  const searches = new Map<string, Search>()
  const notFoundAt = new Map<string, number>()

  const start = (name: string): Search => {
    const stopping = new AbortController()
    const forget = (): void => {
      if (searches.get(name) === started) searches.delete(name)
    }
    const run = async (): Promise<void> => {
      try {
        const wasAsked = await search(components, name, stopping.signal)
        if (wasAsked && table.providersOf(name).length === 0) remember(name)
      } finally {
        forget()
      }
    }
    const stop = (): void => {
      // Whoever comes now wants a new one.
      forget()
      stopping.abort()
    }
    const started: Search = { ended: run(), waiting: 0, stop }
    searches.set(name, started)
    return started
  }
  const remember = (name: string): void => {
    notFoundAt.delete(name)
    notFoundAt.set(name, clock.monotonic())
    const [oldest = name] = notFoundAt.keys()
    if (notFoundAt.size > MAX_NOT_FOUND) notFoundAt.delete(oldest)
  }

  return async function lookUp(name: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || clock.monotonic() - (notFoundAt.get(name) ?? -Infinity) < NOT_FOUND_MS) return
    const shared = searches.get(name) ?? start(name)
    shared.waiting += 1
    let unlink = (): void => undefined
    const gaveUp = new Promise<void>((resolve) => (unlink = onAbort(signal, resolve)))
    await Promise.race([shared.ended, gaveUp])
    unlink()
    shared.waiting -= 1
    if (shared.waiting > 0 || !signal.aborted) return
    shared.stop()
    await shared.ended
  }
}

/** True when at least one whole round was made. */
async function search(components: LookupComponents, name: string, signal: AbortSignal): Promise<boolean> {
  const { network, table, connect, pull, onFailure } = components
  const finished = new AbortController()
  const limit = AbortSignal.any([signal, finished.signal])
  const isKnown = (): boolean => table.providersOf(name).length > 0
  let rounds = 0
  let wholeRounds = 0

  const ask = async (peerId: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
      if (isKnown()) finished.abort()
    } catch (error) {
      // Ended early: found, or the time is over.
      if (!limit.aborted) onFailure('lookup failed', peerId, error)
    }
  }
  const askPeers = async (): Promise<void> => {
    const peers = turnOf(network.connectedPeers(), rounds)
    const request = { offering: name, signal: limit }
    await Promise.all(peers.map(async ({ peerId }) => ask(peerId, async () => pull(peerId, request))))
  }
  const askDirectory = async (): Promise<void> => {
    const asks: Promise<void>[] = []
    const places = createSemaphore(MAX_PROVIDERS_DIALLED)
    try {
      for await (const provider of network.findProviders(functionKey(name), limit)) {
        const { peerId } = provider
        if (peerId === network.peerId) continue
        if (asks.length === MAX_PROVIDERS_TRIED) break
        const request = { peerIds: [peerId], signal: limit }
        const place = await places.acquire(limit)
        const asking = ask(peerId, async () => connect(provider).then(async () => pull(peerId, request)))
        asks.push(asking.finally(() => place[Symbol.dispose]()))
      }
    } catch (error) {
      if (!limit.aborted) onFailure('directory failed', '', EasyNetError.from(error))
    }
    await Promise.all(asks)
  }

  const over = new Promise<void>((resolve) => onAbort(limit, resolve))
  while (!limit.aborted && !isKnown()) {
    if (network.connectedPeers().length === 0 && !components.isConnecting()) break
    const round = Promise.all([askPeers(), askDirectory()]).then(() => (wholeRounds += 1))
    await Promise.race([round, over])
    rounds += 1
    await Promise.race([sleep(ROUND_PAUSE_MS), over])
  }
  return wholeRounds > 0
}

/** As many as may be asked in one round; other ones in the next. */
function turnOf<T>(peers: readonly T[], round: number): T[] {
  const from = peers.length === 0 ? 0 : (round * MAX_PEERS_ASKED) % peers.length
  return [...peers.slice(from), ...peers.slice(0, from)].slice(0, MAX_PEERS_ASKED)
}

/** The DHT key under which providers of a function are found. */
export function functionKey(name: string): string {
  return `function/${name}`
}
