// Ids and limits of docs/spec/timeline.md.

export const TIMELINE_PROTOCOL = '/easynet/timeline/1.0.0'
export const MAX_TIMELINE_BYTES = 1_024
export const TIMELINE_TIMEOUT_MS = 2_000
export const MAX_TIMELINE_STREAMS = 2
/** Questions of one peer: people ask them. */
export const TIMELINE_RATE = { perSecond: 16, burst: 64 }
