/** One buffer with the bytes of all `parts`, in order. A single part is returned as it is. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0]
  let length = 0
  for (const part of parts) length += part.length
  const joined = Buffer.allocUnsafe(length)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** Bytes that are not zeroed, so that memory is taken page by page as they are written. */
export function allocateBytes(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
}
