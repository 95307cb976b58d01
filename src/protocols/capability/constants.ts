// Ids and limits of docs/spec/capability.md.

export const CAPABILITY_PROTOCOL = '/easynet/capability/1.0.0'
/** Gossip topic of announcements. */
export const ANNOUNCE_TOPIC = '/easynet/announce/1'

/** Signature domains. */
export const ADVERT_DOMAIN = 'easynet/advert/1'
export const ANNOUNCE_DOMAIN = 'easynet/announce/1'

export const MAX_ADVERT_BYTES = 256 * 1024
export const MAX_ANNOUNCEMENT_BYTES = 512
export const MAX_QUESTION_BYTES = 256 * 1024
/** Adverts of one answer. */
export const MAX_ADVERTS_PER_ANSWER = 256
/** Entries of "what I have" in one question. */
export const MAX_KNOWN_ENTRIES = 2_048
/** Longest name of a function that a question may be about. */
export const MAX_FUNCTION_NAME_CHARS = 128
/** Bytes of one answer. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024

export const PULL_TIMEOUT_MS = 10_000
export const MAX_CAPABILITY_STREAMS = 4
/** Questions of one peer: news make it ask, some of them four times. */
export const CAPABILITY_RATE = { perSecond: 64, burst: 512 }
