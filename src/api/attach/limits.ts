// Limits of docs/spec/attach.md.

/** Version of the protocol, told in `hello`. */
export const ATTACH_PROTOCOL = 1
/** Longest line or text message. */
export const MAX_LINE_BYTES = 16 * 1024 * 1024
/** Most bytes beside one message. */
export const MAX_BLOB_BYTES = 128 * 1024 * 1024
/** Most bytes beside a `chunk` or `input`. */
export const MAX_ITEM_BYTES = 8 * 1024 * 1024
/** Most blobs beside one message. */
export const MAX_BLOBS = 1_024
/** Most functions that one program offers. */
export const MAX_PROGRAM_FUNCTIONS = 512
/** Most calls that one program has running. */
export const MAX_RUNNING_CALLS = 1_024
/** Most programs attached at the same time. */
export const MAX_PROGRAMS = 64
/** Most chunks or inputs that nobody has acknowledged yet. */
export const WINDOW_ITEMS = 16
/** The receiver acknowledges at least this often. */
export const ACK_EVERY_ITEMS = 8

/** Bytes that wait to be written before a sender of chunks has to wait. */
export const HIGH_WATER_BYTES = 1024 * 1024
/** Bytes that wait to be written before nothing more is read from the program. */
export const PAUSE_BYTES = 32 * 1024 * 1024
