import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify, identifyPush, type Identify, type IdentifyPush } from '@libp2p/identify'
import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { kadDHT, passthroughMapper, type KadDHT } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { ping, type Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Datastore } from 'interface-datastore'
import { createLibp2p } from 'libp2p'
import { guardMuxer } from './guarded-muxer.ts'
import { guardTransport } from './guarded-transport.ts'
import { createHalfOpen } from './half-open.ts'
import { guardRegistrar } from './guarded-registrar.ts'
import * as limits from './limits.ts'
import type { PeerGate } from './peer-gate.ts'
import { requireEarlyMuxer } from './on-connection.ts'
import { cutWhenSilent } from './silence.ts'
import { tunedNoise } from './tuned-noise.ts'
import { cutWhenUnread } from './unsent.ts'

export type Libp2pNode = Libp2p<{
  identify: Identify
  identifyPush: IdentifyPush
  ping: Ping
  pubsub: GossipSub
  dht: KadDHT
}>

const NOISE = '/noise'
/** Protocols whose messages the library reads by their lengths. */
const PREFIXED: readonly string[] = ['/ipfs/id/1.0.0', '/ipfs/id/push/1.0.0', limits.KAD_PROTOCOL]

interface BuildInit {
  privateKey: PrivateKey
  datastore: Datastore
  listen: readonly string[]
  mdns: boolean
  agentVersion: string
  isBlocked: (peerId: string) => boolean
  gate: PeerGate
}

/** The one place that says which parts of libp2p we use and how they are set. */
export async function buildLibp2p(init: BuildInit): Promise<Libp2pNode> {
  const halfOpen = createHalfOpen()
  const node: Libp2pNode = await createLibp2p({
    start: false,
    privateKey: init.privateKey,
    datastore: init.datastore,
    nodeInfo: { name: 'easynet', version: init.agentVersion, userAgent: init.agentVersion },
    addresses: { listen: [...init.listen] },
    transports: [guardTransport(tcp(), NOISE)],
    connectionEncrypters: [requireEarlyMuxer(cutWhenUnread(cutWhenSilent(tunedNoise())))],
    streamMuxers: [
      guardMuxer(
        yamux({
          maxInboundStreams: limits.MAX_INBOUND_STREAMS,
          streamOptions: { maxStreamWindowSize: limits.MAX_STREAM_WINDOW_BYTES },
        }),
        { protocols: () => node.getProtocols(), isPrefixed: (protocol) => PREFIXED.includes(protocol) },
      ),
    ],
    peerDiscovery: init.mdns ? [mdns({ serviceTag: limits.MDNS_SERVICE, interval: 10_000 })] : [],
    peerStore: { maxAddressAge: limits.PEER_AGE_MS, maxPeerAge: limits.PEER_AGE_MS },
    connectionGater: {
      // The default refuses private addresses in browsers only; a mesh lives on them.
      denyDialMultiaddr: () => false,
      denyInboundConnection(connection) {
        halfOpen.begin(connection)
        return false
      },
      denyInboundUpgradedConnection(_, connection) {
        halfOpen.end(connection)
        return false
      },
      denyDialPeer: (peerId) => init.isBlocked(peerId.toString()),
      denyInboundEncryptedConnection: (peerId) => init.isBlocked(peerId.toString()),
      denyOutboundEncryptedConnection: (peerId) => init.isBlocked(peerId.toString()),
    },
    connectionManager: {
      maxConnections: limits.MAX_CONNECTIONS + limits.EXTRA_CONNECTIONS,
      maxIncomingPendingConnections: limits.MAX_PENDING_INBOUND,
      inboundConnectionThreshold: limits.MAX_INBOUND_PER_SECOND,
      dialTimeout: limits.DIAL_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: limits.NEGOTIATE_TIMEOUT_MS,
      inboundStreamProtocolNegotiationTimeout: limits.NEGOTIATE_TIMEOUT_MS,
      // Our own discovery decides whom to dial again.
      reconnectRetries: 0,
    },
    connectionMonitor: {
      pingInterval: limits.MONITOR_INTERVAL_MS,
      pingTimeout: { minTimeout: limits.MONITOR_TIMEOUT_MS },
      // A late answer is no dead link; silence.ts knows one.
      abortConnectionOnPingFailure: false,
    },
    services: {
      // First, so that everything after it is guarded.
      guard: guardRegistrar(init.gate),
      identify: identify(),
      identifyPush: identifyPush(),
      // The DHT, the connection monitor's replies and our own pings share this.
      ping: ping({ maxInboundStreams: limits.MAX_PING_STREAMS, maxOutboundStreams: limits.MAX_PING_STREAMS }),
      pubsub: gossipsub({
        // Daemons that share an address (one machine, one home) are no attack: with the default
        // weight nothing is delivered from the 11th on.
        scoreParams: { IPColocationFactorWeight: 0 },
        fallbackToFloodsub: false,
        allowPublishToZeroTopicPeers: true,
        maxInboundDataLength: 16 * limits.GOSSIP_MAX_MESSAGE_BYTES,
      }),
      dht: kadDHT({
        protocol: limits.KAD_PROTOCOL,
        clientMode: false,
        // Private addresses are what devices of one home or lab have.
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
        providers: { provideValidity: limits.PROVIDER_VALIDITY_MS },
        reprovide: { interval: limits.REPROVIDE_INTERVAL_MS, validity: limits.PROVIDER_VALIDITY_MS },
      }),
    },
  })
  return node
}
