// Ids and limits of docs/spec/call.md.

export const CALL_PROTOCOL = '/easynet/call/1.0.0'

/** Length field (4), type (1), call number (4). */
export const FRAME_HEADER_BYTES = 9
/** Longest payload of a frame, except BLOB. */
export const MAX_FRAME_BYTES = 1024 * 1024
/** Longest payload of a BLOB frame. */
export const MAX_BLOB_FRAME_BYTES = 256 * 1024
/** Byte strings from here on travel as blobs beside the value, uncopied. */
export const MIN_BLOB_BYTES = 16 * 1024
/** Blobs of one value. */
export const MAX_BLOBS = 1024

/** Arguments up to here go with the call on the shared stream; larger ones on a stream of their own. */
export const MAX_SHARED_ARGS_BYTES = 64 * 1024
/** Results up to here come on the shared stream; larger ones are fetched on a stream of their own. */
export const MAX_SHARED_RESULT_BYTES = 64 * 1024
/** Calls at the same time on a shared stream. */
export const MAX_SHARED_CALLS = 1024
/** Shared streams of one peer; it needs one, and has two for a moment after a broken connection. */
export const MAX_SHARED_STREAMS_PER_PEER = 4
/** Streams of this protocol per connection, both kinds. */
export const MAX_STREAMS_PER_PEER = 128
/** Memory that arguments and waiting inputs of one peer may take here. */
export const MAX_INBOUND_BYTES_PER_PEER = 256 * 1024 * 1024
/** The same for all peers together. */
export const MAX_INBOUND_BYTES = 1024 * 1024 * 1024
/** Arguments on the shared stream up to here are not counted: small calls are bounded by their number. */
export const MIN_COUNTED_ARGS_BYTES = 4 * 1024

/** The first frame of a stream has to come within this time. */
export const HEADER_TIMEOUT_MS = 5_000
/** Announced bytes have to keep coming: this many, or the rest, within this time. */
export const BODY_IDLE_TIMEOUT_MS = 30_000
export const MIN_BODY_BYTES = 16 * 1024
/** A result has to be taken: longest pause of a reader. */
export const RESULT_STALL_TIMEOUT_MS = 30_000
/** How long the other side may leave a stream open after we have closed it. */
export const FINISH_TIMEOUT_MS = 5_000
/** Longest wait of a question for a call that still runs. */
export const MAX_ASK_WAIT_MS = 30_000
/** Unread bytes that a stream may hold: more than the largest yamux window. */
export const MAX_READ_BUFFER_BYTES = 8 * 1024 * 1024
/** Unsent bytes from which a writer waits. */
export const WRITE_HIGH_WATER_BYTES = 1024 * 1024

/** Time to connect and open a stream, within the deadline of the call. */
export const OPEN_TIMEOUT_MS = 10_000
/** Longest text of a log line or progress report. */
export const MAX_TEXT_CHARS = 2_000

/** A cancel that the other side has not noticed by then becomes a cut. */
export const CANCEL_GRACE_MS = 500
/** Calls with a stream of their own to one peer at the same time; further ones wait. */
export const MAX_OWN_STREAMS = 96
/** Questions to one peer at the same time; further ones wait. */
export const MAX_QUESTIONS = 24
