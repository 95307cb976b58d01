// Limits and timings of the libp2p node. Reasons and measurements: docs/adr/0002-libp2p-settings.md.

/** Our own DHT, apart from the public IPFS one. */
export const KAD_PROTOCOL = '/easynet/kad/1.0.0'
/** The mDNS service under which devices of one LAN find each other. */
export const MDNS_SERVICE = '_easynet._udp.local'

export const MAX_CONNECTIONS = 300
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
export const PROVIDER_VALIDITY_MS = 2 * 3_600_000
export const REPROVIDE_INTERVAL_MS = 45 * 60_000
