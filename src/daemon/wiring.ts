import semver from 'semver'
import type { FunctionRegistry } from '../functions/registry.ts'
import { choosePeer } from '../model/peer-name.ts'
import type { PeerRef } from '../model/call.ts'
import type { AdvertisedFunction, FunctionDescriptor } from '../model/function.ts'
import type { ConnectionInfo, Network } from '../network/network.ts'
import { publicKeyOf } from '../network/peer-id.ts'
import type { OpenStream } from '../protocols/call/ports.ts'
import type { Candidate, ProviderDirectory } from '../scheduler/ports.ts'
import type { Discovery } from '../topology/discovery.ts'
import type { Hello } from '../protocols/hello/codec.ts'
import type { Introduction, PeerTable } from '../topology/peer-table.ts'
import type { DiscoveryNetwork } from '../topology/ports.ts'
import type { Arrivals } from './arrivals.ts'

// Adapters between what one part offers and the port that another declares.

/** Streams to peers that may not be connected yet, by the addresses that their adverts name. */
export function createOpenStream(network: Network, table: PeerTable): OpenStream {
  return async (peerId, protocol, signal) => {
    if (!network.isConnected(peerId)) {
      await network.connect(peerId, table.get(peerId)?.advert?.advert.addresses ?? [], signal)
    }
    return network.openStream(peerId, protocol, signal)
  }
}

export function discoveryNetwork(network: Network): DiscoveryNetwork {
  return {
    peerId: network.peerId,
    isConnected: (peerId) => network.isConnected(peerId),
    isFull: () => network.isFull(),
    protect: (peerId) => network.protect(peerId),
    connect: async (peerId, addresses, signal) => network.connect(peerId, addresses, signal),
    connectTo: async (address, signal) => network.connectTo(address, signal),
    connectedPeers: () => network.connections(),
    rememberedPeers: async () => network.rememberedPeers(),
    ping: async (peerId, signal) => network.ping(peerId, signal),
    findProviders: (key, signal) => network.directory.find(key, signal),
  }
}

export interface DirectoryParts {
  self: PeerRef
  registry: FunctionRegistry
  table: PeerTable
  discovery: Discovery
  network: Network
  arrivals: Arrivals
  isBlocked: (peerId: string) => boolean
}

/** Who offers a function: this device and the adverts of others. */
export function createProviderDirectory(parts: DirectoryParts): ProviderDirectory {
  const { self, registry, table, network } = parts
  let connections: readonly ConnectionInfo[] | undefined
  let relayed: ReadonlySet<string> = new Set()
  /** Built when the connections have changed, and not for every call. */
  const isRelayed = (peerId: string): boolean => {
    const current = network.connections()
    if (current !== connections) {
      connections = current
      relayed = new Set(current.filter(({ path }) => path === 'relayed').map((peer) => peer.peerId))
    }
    return relayed.has(peerId)
  }
  return {
    candidates(name, range) {
      const found: Candidate[] = []
      const own = registry.find(name)?.descriptor
      if (own !== undefined && fits(own, range)) {
        const { idempotent } = own
        found.push({
          peer: self,
          path: 'local',
          rttMs: 0,
          streams: own.stream || own.clientStream,
          idempotent,
        })
      }
      for (const { peer, fn } of table.providersOf(name)) {
        if (!fits(fn, range) || parts.isBlocked(peer.peerId)) continue
        found.push({
          peer: { peerId: peer.peerId, name: peer.name },
          path: isRelayed(peer.peerId) ? 'relayed' : 'direct',
          rttMs: peer.connected ? peer.rttMs : null,
          streams: fn.stream || fn.clientStream,
          idempotent: fn.idempotent,
        })
      }
      return found
    },
    discover: async (name, signal) => parts.discovery.find(name, signal),
    nextProvider: async (name, signal) => parts.arrivals.next(name, signal),
    resolvePeer: (idOrName) => resolvePeer(idOrName, self, table),
  }
}

/** The peer id behind an id, the end of an id, or a name. @throws `unknown_peer` · `ambiguous_peer` */
export function resolvePeer(idOrName: string, self: PeerRef, table: PeerTable): string {
  if (idOrName === self.peerId || idOrName === self.name) return self.peerId
  // First, since a device may call itself by the id of another.
  if (isPeerId(idOrName)) return idOrName
  return choosePeer(idOrName, table.list()).peerId
}

function isPeerId(text: string): boolean {
  try {
    return publicKeyOf(text).length === 32
  } catch {
    return false
  }
}

function fits({ version }: { version: string }, range: string | undefined): boolean {
  return range === undefined || semver.satisfies(version, range)
}

/** @param at - our wall clock when the peer said its own */
export function introductionOf({ name, software, now }: Hello, at: number): Introduction {
  return { name, software, ...(now === undefined ? {} : { clockAheadMs: now - at }) }
}

/** What others are told of our functions; private ones are not mentioned. */
export function advertised(functions: readonly FunctionDescriptor[]): AdvertisedFunction[] {
  return functions
    .filter((fn) => fn.access !== 'private')
    .map(({ maxConcurrent: _, maxQueue: __, access: ___, ...told }) => told)
}
