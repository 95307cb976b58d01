// Ids and limits of docs/spec/hello.md.

export const HELLO_PROTOCOL = '/easynet/hello/1.0.0'
export const MAX_HELLO_BYTES = 4_096
/** Of the second message of each side: 16 meshes with 3 certificates each. */
export const MAX_PROOF_BYTES = 131_072
export const HELLO_TIMEOUT_MS = 5_000
export const MAX_HELLO_STREAMS = 2
/** Meshes that one device speaks of. */
export const MAX_MESHES = 16
