import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerInfo } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Datastore } from 'interface-datastore'
import { chooseExcess } from './crowd.ts'
import { createDirectory } from './directory.ts'
import { networkError } from './errors.ts'
import { createGossip } from './gossip.ts'
import { guardDatastore } from './guarded-datastore.ts'
import { buildLibp2p, type Libp2pNode } from './libp2p.ts'
import { createPeerGate } from './peer-gate.ts'
import { MAX_CONNECTIONS, MAX_CONNECTIONS_PER_PEER } from './limits.ts'
import type { ConnectionInfo, Network, NetworkListener, PeerAddresses } from './network.ts'

export interface NetworkComponents {
  /** 64 bytes: the Ed25519 seed, then the public key. */
  privateKey: Uint8Array
  /** Where addresses of peers and DHT records are kept. */
  datastore: Datastore
}

export interface NetworkInit {
  /** Multiaddrs to listen on. */
  listen: readonly string[]
  /** Look for daemons on the local network. */
  mdns: boolean
  /** What the other side is told of our software, e.g. `easynet/0.1.0`. */
  agentVersion: string
  /** Peers with running calls, ours or theirs: their connections are not the first to go. @default none */
  busyPeers?: () => ReadonlySet<string>
}

/** Builds the libp2p node; nothing listens until `start()`. */
export async function createNetwork(components: NetworkComponents, init: NetworkInit): Promise<Network> {
  let blocked: ReadonlySet<string> = new Set()
  const kept = new Set<string>()
  const listeners: NetworkListener[] = []
  const gate = createPeerGate()
  const privateKey = privateKeyFromRaw(components.privateKey)
  const ownId = peerIdFromPrivateKey(privateKey).toString()
  const node = await buildLibp2p({
    privateKey,
    datastore: await guardDatastore(components.datastore, ownId),
    isBlocked: (peerId) => blocked.has(peerId),
    gate,
    ...init,
  })

  // Every call asks for the connections; naming their peers and addresses anew takes microseconds.
  let connections: ConnectionInfo[] | undefined
  for (const change of ['connection:open', 'connection:close', 'peer:connect', 'peer:disconnect'] as const) {
    node.addEventListener(change, () => (connections = undefined))
  }
  node.addEventListener('connection:open', ({ detail: connection }) => {
    if (node.getConnections(connection.remotePeer).length > MAX_CONNECTIONS_PER_PEER) {
      connection.abort(new Error('the peer has too many connections'))
    } else {
      // Once the library has counted it.
      queueMicrotask(() => closeExcess(node, kept, init.busyPeers))
    }
  })
  node.addEventListener('peer:connect', ({ detail }) => {
    for (const listener of listeners) listener.connected?.(detail.toString())
  })
  node.addEventListener('peer:disconnect', ({ detail }) => {
    for (const listener of listeners) listener.disconnected?.(detail.toString())
  })
  node.addEventListener('peer:discovery', ({ detail }) => {
    for (const listener of listeners) listener.discovered?.(toPeerAddresses(detail))
  })

  const gossip = createGossip(node.services.pubsub)
  const connect = async (
    peerId: string,
    addresses: readonly string[],
    signal: AbortSignal,
  ): Promise<void> => {
    try {
      const id = peerIdFromString(peerId)
      if (addresses.length > 0) {
        await node.peerStore.merge(
          id,
          { multiaddrs: addresses.map((address) => multiaddr(address)) },
          { signal },
        )
      }
      await node.dial(id, { signal })
    } catch (error) {
      throw networkError(error, peerId, signal)
    }
  }

  return {
    peerId: node.peerId.toString(),
    async start() {
      await node.start()
      gossip.subscribeAll()
    },
    addresses: () => node.getMultiaddrs().map(String),
    connections: () => (connections ??= connectionsOf(node)),
    isFull: () => node.getConnections().length >= MAX_CONNECTIONS,
    protect: (peerId) => void kept.add(peerId),
    isConnected: (peerId) => node.getConnections(peerIdFromString(peerId)).length > 0,
    connect,
    async connectTo(address, signal) {
      try {
        const connection = await node.dial(multiaddr(address), { signal })
        return connection.remotePeer.toString()
      } catch (error) {
        throw networkError(error, address, signal)
      }
    },
    async openStream(peerId, protocol, signal) {
      try {
        return await node.dialProtocol(peerIdFromString(peerId), protocol, {
          signal,
          runOnLimitedConnection: true,
        })
      } catch (error) {
        throw networkError(error, peerId, signal)
      }
    },
    async handle(protocol, maxStreamsPerPeer, handler) {
      await node.handle(
        protocol,
        (stream, connection) => {
          handler(stream, connection.remotePeer.toString()).catch((error: unknown) => {
            stream.abort(error instanceof Error ? error : new Error(String(error)))
          })
        },
        {
          maxInboundStreams: maxStreamsPerPeer,
          maxOutboundStreams: maxStreamsPerPeer,
          runOnLimitedConnection: true,
        },
      )
    },
    admit: (peerId) => gate.admit(peerId),
    refuse(peerId, why) {
      gate.refuse(peerId, why)
      // Gracefully: what it was told of the reason is on the way.
      for (const connection of node.getConnections(peerIdFromString(peerId))) {
        connection.close().catch((error: Error) => connection.abort(error))
      }
    },
    disconnect: async (peerId) => node.hangUp(peerIdFromString(peerId)),
    async ping(peerId, signal) {
      try {
        return await node.services.ping.ping(peerIdFromString(peerId), { signal })
      } catch (error) {
        throw networkError(error, peerId, signal)
      }
    },
    listen: (listener) => void listeners.push(listener),
    gossip,
    directory: createDirectory(node.services.dht),
    async setBlocked(peerIds) {
      blocked = peerIds
      await Promise.allSettled([...peerIds].map(async (peerId) => node.hangUp(peerIdFromString(peerId))))
    },
    async rememberedPeers() {
      const peers = await node.peerStore.all()
      // Those we have talked to first: of the others we were only told.
      peers.sort((a, b) => Number(b.protocols.length > 0) - Number(a.protocols.length > 0))
      return peers.map((peer) => ({
        peerId: peer.id.toString(),
        addresses: peer.addresses.map((address) => address.multiaddr.toString()),
      }))
    },
    async [Symbol.asyncDispose]() {
      await node.stop()
    },
  }
}

function closeExcess(
  node: Libp2pNode,
  kept: ReadonlySet<string>,
  busyPeers: () => ReadonlySet<string> = () => new Set(),
): void {
  const connections = node.getConnections()
  if (connections.length <= MAX_CONNECTIONS) return
  const crowd = connections.map((connection) => ({
    connection,
    peerId: connection.remotePeer.toString(),
    remoteAddr: connection.remoteAddr,
    direction: connection.direction,
    openedAt: connection.timeline.open,
  }))
  const busy = busyPeers()
  const is = { kept: (peerId: string) => kept.has(peerId), busy: (peerId: string) => busy.has(peerId) }
  for (const { connection } of chooseExcess(crowd, MAX_CONNECTIONS, is)) {
    connection.abort(new Error('there are too many connections'))
  }
}

function connectionsOf(node: Libp2pNode): ConnectionInfo[] {
  const byPeer = new Map<string, ConnectionInfo>()
  for (const connection of node.getConnections()) {
    const peerId = connection.remotePeer.toString()
    const address = connection.remoteAddr.toString()
    const path = address.includes('/p2p-circuit') ? 'relayed' : 'direct'
    if (path === 'direct' || !byPeer.has(peerId)) {
      byPeer.set(peerId, { peerId, address, path, direction: connection.direction })
    }
  }
  return [...byPeer.values()]
}

function toPeerAddresses(info: PeerInfo): PeerAddresses {
  return { peerId: info.id.toString(), addresses: info.multiaddrs.map(String) }
}
