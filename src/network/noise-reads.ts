import { MIN_RELEASED_BYTES, releaseBytes } from '../util/release.ts'
import type { ByteList, Encrypted } from './encrypted-stream.ts'

/** Length of the tag of a message. */
const TAG_BYTES = 16

/**
 * Cuts what arrives into messages, and gives back the memory of what was read to its end. The library's
 * decoder tries to read one length too many after every piece and takes the error for the end; and it
 * copies each message that came in two pieces, which of a stream are nearly all.
 */
export function tuneReads(secured: Encrypted): void {
  const { decoder, handshake } = secured
  const { buffer } = decoder
  /** What holds the bytes of `buffer`. */
  let pieces: Uint8Array[] = []
  let isInPlace = false
  const decryptInPlace = secured.decrypt.bind(secured)
  secured.decrypt = (message) =>
    isInPlace || message.byteLength < TAG_BYTES ? decryptInPlace(message) : handshake.decrypt(message)

  decoder.decode = function* (data) {
    const whole = buffer.byteLength === 0 ? wholeMessages(data) : undefined
    isInPlace = whole !== undefined
    if (whole !== undefined) return yield* whole
    buffer.append(data)
    pieces.push(...data)
    while (buffer.byteLength >= 2) {
      const end = 2 + buffer.get(0) * 256 + buffer.get(1)
      if (buffer.byteLength < end) break
      const message = buffer.sublist(2, end)
      buffer.consume(end)
      isInPlace = false
      // It was decrypted, to bytes of its own, when we are asked for the next one.
      if (end > 2) yield message
    }
    let unread = 0
    for (let bytes = buffer.byteLength; bytes > 0; bytes -= pieces.at(-unread)?.length ?? bytes) unread += 1
    for (const piece of pieces.splice(0, pieces.length - unread)) releaseBytes(piece)
  }
}

/** The messages of a small piece that holds nothing but whole ones, as it is for most calls. */
function wholeMessages(data: ByteList): Uint8Array[] | undefined {
  const [bytes] = data
  if (bytes?.length !== data.byteLength || bytes.length >= MIN_RELEASED_BYTES) return undefined
  const messages: Uint8Array[] = []
  let at = 0
  while (bytes.length - at >= 2) {
    const start = at + 2
    at = start + ((bytes[at] as number) << 8) + (bytes[at + 1] as number)
    messages.push(bytes.subarray(start, at))
  }
  return at === bytes.length ? messages : undefined
}
