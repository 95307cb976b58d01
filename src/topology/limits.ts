// Limits on what others can make discovery do. Table: docs/spec/capability.md.

/** Devices whose last announcement is remembered, so that a repeated one goes no further. */
export const MAX_ANNOUNCED = 4_096

/** Pulls after announcements at the same time: in all, to one peer, and waiting for one peer. */
export const MAX_PULLS = 16
export const MAX_PULLS_PER_PEER = 4
export const MAX_WAITING_PULLS_PER_PEER = 64

/** Dials of peers that others told us of: at the same time, waiting, per second, and saved up. */
export const MAX_TOLD_DIALS = 8
export const MAX_WAITING_TOLD_DIALS = 64
export const TOLD_DIALS_PER_SECOND = 4
export const TOLD_DIAL_BURST = 64
/** Addresses of one peer that are tried. */
export const MAX_DIALLED_ADDRESSES = 16

/** Lost peers that are dialled again at the same time. */
export const MAX_RECONNECTING = 64
/** Lost peers that are dialled again at all; the one longest away gives way to a new one. */
export const MAX_LOST_PEERS = 256
/** How long they are dialled again, and the pauses between two attempts: they grow with the time away. */
export const RECONNECT_FOR_MS = 3_600_000
export const MIN_RETRY_MS = 1_000
export const MAX_RETRY_MS = 30_000
/** A peer that came to us has to have stayed this long before we dial it when it is gone. */
export const STABLE_AFTER_MS = 5_000
/** Providers that one search in the DHT dials: at the same time, and in all. Anybody can be named as one. */
export const MAX_PROVIDERS_DIALLED = 20
export const MAX_PROVIDERS_TRIED = 200

/** Devices in the table; the ones longest unseen go first. */
export const MAX_PEERS = 2_000
/** Memory of all adverts in the table: their bytes, and `FUNCTION_BYTES` for each function. */
export const MAX_ADVERTS_BYTES = 32 * 1024 * 1024
/** What a function takes in memory, however short its advert is. 432 were measured. */
export const FUNCTION_BYTES = 512
/** Functions in adverts that are learned from one host: per second, and saved up. Each takes some 7 µs. */
export const LEARNED_FUNCTIONS_PER_SECOND = 200
export const LEARNED_FUNCTION_BURST = 32_768
/** Connected peers that are asked what they know, in one round of looking for a function. */
export const MAX_PEERS_ASKED = 8
/** How long a function that was looked for and not found is not looked for again. */
export const NOT_FOUND_MS = 1_000
/** Such functions that are remembered. */
export const MAX_NOT_FOUND = 1_024
