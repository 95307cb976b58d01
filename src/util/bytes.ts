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

/** From here on a part is written as it is; copying smaller ones is cheaper than a write of their own. */
const LARGE_PART_BYTES = 16 * 1024

type Part = string | Uint8Array

/** Texts and bytes in few pieces for a socket, in order: neighbours are joined, large byte strings stay. */
export function joinParts(parts: readonly Part[]): Part[] {
  const pieces: Part[] = []
  let small: Part[] = []
  for (const part of parts) {
    if (typeof part === 'string' || part.length < LARGE_PART_BYTES) {
      small.push(part)
      continue
    }
    if (small.length > 0) pieces.push(joinSmall(small))
    small = []
    pieces.push(part)
  }
  if (small.length > 0) pieces.push(joinSmall(small))
  return pieces
}

function joinSmall(parts: readonly Part[]): Part {
  let length = 0
  let isText = true
  for (const part of parts) {
    if (typeof part === 'string') length += Buffer.byteLength(part)
    else {
      isText = false
      length += part.length
    }
  }
  // Text alone needs no copy of its own.
  if (isText) return parts.join('')
  const joined = Buffer.allocUnsafe(length)
  let at = 0
  for (const part of parts) {
    if (typeof part === 'string') at += joined.write(part, at)
    else {
      joined.set(part, at)
      at += part.length
    }
  }
  return joined
}

/** True when both hold the same bytes. Not for secrets: how long it takes tells where they differ. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
