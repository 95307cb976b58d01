/** Below this the garbage collector is as cheap. */
export const MIN_RELEASED_BYTES = 4 * 1024

/**
 * Gives the memory of bytes that nobody looks at any more back at once. Otherwise it waits for the garbage
 * collector, and V8 counts it as if it were part of its heap: every 10 to 60 MB of buffers, however short
 * they lived, are one collection of everything. A stream makes several times its own size of them.
 *
 * The caller must be the only one who has these bytes: for everybody else they are gone. Bytes that are
 * part of a larger buffer are left alone, since others may have the rest of it.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer } = bytes
  if (bytes.length < MIN_RELEASED_BYTES || bytes.length !== buffer.byteLength) return
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}
