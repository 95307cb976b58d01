// Limits and timings of the libp2p node. Reasons and measurements: docs/adr/0002-libp2p-settings.md.

/** Our own DHT, apart from the public IPFS one. */
export const KAD_PROTOCOL = '/easynet/kad/1.0.0'
/** The mDNS service under which devices of one LAN find each other. */
export const MDNS_SERVICE = '_easynet._udp.local'

export const MAX_CONNECTIONS = 300
/** New connections per second from one address; many daemons may share one machine. */
export const MAX_INBOUND_PER_SECOND = 100
export const DIAL_TIMEOUT_MS = 10_000
/** A dead link is noticed within interval + timeout. */
export const MONITOR_INTERVAL_MS = 2_000
export const MONITOR_TIMEOUT_MS = 3_000
/** Bytes that a paused stream can still receive; a reader's buffer has to hold them. */
export const MAX_STREAM_WINDOW_BYTES = 4 * 1024 * 1024
export const MAX_PING_STREAMS = 8
/** Deadline to agree on a protocol for a new stream. */
export const NEGOTIATE_TIMEOUT_MS = 10_000

/** How long addresses of peers are kept, so that a device that slept for weeks finds them again. */
export const PEER_AGE_MS = 30 * 86_400_000

export const GOSSIP_MAX_MESSAGE_BYTES = 4_096
export const PROVIDER_VALIDITY_MS = 2 * 3_600_000
export const REPROVIDE_INTERVAL_MS = 45 * 60_000
