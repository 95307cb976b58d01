// Numbers and shapes of docs/spec/attach.md.

export const PROTOCOL_VERSION = 1
/** Longest line, or text message, in bytes. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024
/** Most bytes that travel beside one message. */
export const MAX_MESSAGE_BLOB_BYTES = 128 * 1024 * 1024
export const MAX_BLOBS = 1_024
/** Chunks, or inputs, that may be sent before the receiver has acknowledged one. */
export const WINDOW_ITEMS = 16
/** The receiver acknowledges at least this often. */
export const ACK_EVERY = 8
export const HEARTBEAT_MS = 15_000
/** After this silence the other side is taken for dead. */
export const SILENCE_MS = 60_000

export type MessageId = number | string

/** One JSON-RPC 2.0 message, in the form it has on the line. */
export interface Message {
  id?: MessageId
  method?: string
  params?: unknown
  result?: unknown
  error?: { code: number; message: string; data?: unknown }
  bin?: number[]
}

/** Who we are, as `hello` returns it. */
export interface HelloResult {
  protocol: number
  peerId: string
  name: string
  version: string
}

/** The parameters of `invoke`. */
export interface InvokeParams {
  id: string
  fn: string
  args: unknown[]
  kwargs: Record<string, unknown>
  caller: { peerId: string; name: string }
  timeoutMs: number
  input?: boolean
}
