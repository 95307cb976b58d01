// Ids and limits of docs/spec/hello.md.

export const HELLO_PROTOCOL = '/easynet/hello/1.0.0'
export const MAX_HELLO_BYTES = 4_096
export const HELLO_TIMEOUT_MS = 5_000
export const MAX_HELLO_STREAMS = 2
/** Introductions of one peer, in a second and saved up. */
export const HELLO_RATE = { perSecond: 1, burst: 16 }
