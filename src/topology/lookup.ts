import { EasyNetError } from '../errors/error.ts'
import { onAbort, sleep } from '../util/signals.ts'
import { MAX_PEERS_ASKED, MAX_PROVIDERS_DIALLED } from './limits.ts'
import type { PeerTable } from './peer-table.ts'
import type { DiscoveryNetwork, PeerAddresses } from './ports.ts'

export interface LookupComponents {
  network: Pick<DiscoveryNetwork, 'peerId' | 'connectedPeers' | 'findProviders'>
  table: Pick<PeerTable, 'providersOf'>
  connect: (peer: PeerAddresses) => Promise<void>
  /** Learns what a peer knows of others, or of `only` these. */
  pull: (from: string, only?: readonly string[]) => Promise<void>
  /** True while connections are being made, so that more peers to ask may come. */
  isConnecting: () => boolean
  onFailure: (what: string, peer: string, error: unknown) => void
}

/** Time between two rounds: what was registered a moment ago needs it to get around. */
const ROUND_PAUSE_MS = 200

/**
 * Looks for providers of a function that nobody has announced to us: asks the connected peers what
 * they know, and the DHT. Ends at the first provider, when nobody is there to ask, or with the signal.
 */
export function createLookup(components: LookupComponents) {
  const { network, table, connect, pull, onFailure } = components

  return async function lookUp(name: string, signal: AbortSignal): Promise<void> {
    const finished = new AbortController()
    const limit = AbortSignal.any([signal, finished.signal])
    const isKnown = (): boolean => table.providersOf(name).length > 0

    const ask = async (peerId: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work()
        if (isKnown()) finished.abort()
      } catch (error) {
        onFailure('lookup failed', peerId, error)
      }
    }
    const askPeers = async (): Promise<void> => {
      const peers = network.connectedPeers().slice(0, MAX_PEERS_ASKED)
      await Promise.all(peers.map(async ({ peerId }) => ask(peerId, async () => pull(peerId))))
    }
    const askDirectory = async (): Promise<void> => {
      const asks: Promise<void>[] = []
      try {
        for await (const provider of network.findProviders(functionKey(name), limit)) {
          const { peerId } = provider
          if (peerId === network.peerId) continue
          if (asks.length === MAX_PROVIDERS_DIALLED) break
          asks.push(ask(peerId, async () => connect(provider).then(async () => pull(peerId, [peerId]))))
        }
      } catch (error) {
        // Ended early: found, or the time is over.
        if (!limit.aborted) onFailure('directory failed', '', EasyNetError.from(error))
      }
      await Promise.all(asks)
    }

    const over = new Promise<void>((resolve) => onAbort(limit, resolve))
    while (!limit.aborted && !isKnown()) {
      if (network.connectedPeers().length === 0 && !components.isConnecting()) return
      await Promise.race([Promise.all([askPeers(), askDirectory()]), over])
      await Promise.race([sleep(ROUND_PAUSE_MS), over])
    }
  }
}

/** The DHT key under which providers of a function are found. */
export function functionKey(name: string): string {
  return `function/${name}`
}
