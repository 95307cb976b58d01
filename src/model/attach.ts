// Numbers of docs/spec/attach.md that both ends of the app connection keep.

/** Version of the protocol, told in `hello`. */
export const ATTACH_PROTOCOL = 1
/** Longest line or text message. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024
/** Most bytes beside one message. */
export const MAX_MESSAGE_BLOB_BYTES = 128 * 1024 * 1024
/** Most blobs beside one message. */
export const MAX_BLOBS = 1_024
/** Most bytes beside a `chunk` or `input`. */
export const MAX_ITEM_BYTES = 8 * 1024 * 1024
/** Most chunks or inputs that nobody has acknowledged yet. */
export const WINDOW_ITEMS = 16
/** The receiver acknowledges at least this often. */
export const ACK_EVERY_ITEMS = 8
/** Sent when nothing else was for so long. */
export const HEARTBEAT_MS = 15_000
/** After this silence the other side is taken for dead. */
export const SILENCE_MS = 60_000
