// Limits and timings of the libp2p node. Reasons and measurements: docs/adr/0002-libp2p-settings.md.

/** Our own DHT, apart from the public IPFS one. */
export const KAD_PROTOCOL = '/easynet/kad/1.0.0'
/** The mDNS service under which devices of one LAN find each other. */
export const MDNS_SERVICE = '_easynet._udp.local'

/** One more costs the host that has most of them one of its own. */
export const MAX_CONNECTIONS = 300
/** Connections beyond that which the library still lets in, so that there is a choice whom to close. */
export const EXTRA_CONNECTIONS = 64
/** Inbound connections that have not proved who they are; the oldest of the host that has most goes. */
export const MAX_HALF_OPEN = 64
/** The same for the library, which would refuse the newest. */
export const MAX_PENDING_INBOUND = 4 * MAX_HALF_OPEN
/** Connections of one peer; one more is closed. Limits of streams are per connection. */
export const MAX_CONNECTIONS_PER_PEER = 4
/** New connections per second from one address; many daemons may share one machine. */
export const MAX_INBOUND_PER_SECOND = 100
export const DIAL_TIMEOUT_MS = 10_000
/** Every connection is pinged, so that there is something to hear on it. */
export const MONITOR_INTERVAL_MS = 2_000
export const MONITOR_TIMEOUT_MS = 10_000
/** A connection is dead when not one byte came in for so long, to the precision of a tick. */
export const LIVENESS_MS = 4_500
export const LIVENESS_TICK_MS = 500
/**
 * Bytes that a paused stream can still receive; a reader's buffer has to hold them. Also what stands
 * before everybody else on a slow link during an upload: 4 s at 250 KiB/s.
 */
export const MAX_STREAM_WINDOW_BYTES = 1024 * 1024
export const MAX_PING_STREAMS = 8
/** Streams of all protocols that a peer can have open on one connection. */
export const MAX_INBOUND_STREAMS = 256
/** Pings of the multiplexer: honest peers send one in some seconds. */
export const YAMUX_PINGS_PER_SECOND = 8
export const YAMUX_PING_BURST = 64
/** While the protocol of a stream or connection is agreed on: bytes of a message, and messages. */
export const MAX_NEGOTIATION_MESSAGE_BYTES = 1024
export const MAX_NEGOTIATION_MESSAGES = 16
/** A message of the DHT and of libp2p's introductions. */
export const MAX_PREFIXED_MESSAGE_BYTES = 1024 * 1024
/** Such messages of one connection: a device with 512 functions stores their records at once. */
export const DHT_MESSAGES = { perSecond: 64, burst: 2_048 }
export const IDENTIFY_MESSAGES = { perSecond: 2, burst: 32 }
/** Memory of what waits to be sent on one connection, because the other side does not read. */
export const MAX_UNSENT_BYTES = 32 * 1024 * 1024
/** The same on all connections. */
export const MAX_UNSENT_BYTES_OF_ALL = 256 * 1024 * 1024
/** What each piece that waits takes beside its bytes: some 500 were measured for an answer to a ping. */
export const UNSENT_PIECE_BYTES = 512
/** Deadline to agree on a protocol for a new stream. */
export const NEGOTIATE_TIMEOUT_MS = 10_000

/** How long addresses of peers are kept, so that a device that slept for weeks finds them again. */
export const PEER_AGE_MS = 30 * 86_400_000

/** Peers that are remembered on disk; the one longest unheard of goes first. */
export const MAX_STORED_PEERS = 10_000
/** Addresses, keys and all else that is remembered of one peer. */
export const MAX_PEER_RECORD_BYTES = 64 * 1024

/** DHT records of one peer: every function it can offer, twice. The library has no limit of its own. */
export const MAX_DHT_RECORDS_PER_PEER = 1_024
/** DHT records of all others. */
export const MAX_DHT_RECORDS = 50_000
export const MAX_DHT_KEY_CHARS = 256

export const GOSSIP_MAX_MESSAGE_BYTES = 4_096
/** One packet of gossip, with several messages. */
export const GOSSIP_MAX_RPC_BYTES = 64 * 1024
export const GOSSIP_MAX_MESSAGES = 256
/** Subscriptions and control messages of one packet, of each kind. */
export const GOSSIP_MAX_CONTROL_ITEMS = 64
/** Message ids of one control message. */
export const GOSSIP_MAX_IDS = 512
export const MAX_GOSSIP_STREAMS = 4
/** Messages of one peer that are looked at: per second, and saved up. */
export const GOSSIP_MESSAGES_PER_SECOND = 32
export const GOSSIP_MESSAGE_BURST = 256
/** So many more than that, and nothing of the peer is read for a while; half of them are forgotten in time. */
export const FLOOD_MESSAGES = 1_000
export const FLOOD_HALF_LIFE_MS = 10_000
export const GOSSIP_RETAIN_SCORE_MS = 10_000
export const PROVIDER_VALIDITY_MS = 2 * 3_600_000
export const REPROVIDE_INTERVAL_MS = 45 * 60_000
