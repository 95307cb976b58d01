import { EasyNetError } from '../../errors/error.ts'
import { allocateBytes, joinBytes } from '../../util/bytes.ts'
import { MAX_BLOBS, MAX_LINE_BYTES, MAX_MESSAGE_BLOB_BYTES } from '../../model/attach.ts'
import { type Message } from './protocol.ts'

// The raw framing of docs/spec/attach.md: a JSON line, then the bytes that its "bin" announces.

const NEWLINE = 0x0a

/** A message with the bytes that came beside it. */
export interface Frame {
  message: Message
  blobs: Uint8Array[]
}

/** The parts of one message in the order they are written. Blobs are not copied. */
export function encodeFrame(message: Message, blobs: readonly Uint8Array[]): (string | Uint8Array)[] {
  if (blobs.length > MAX_BLOBS) throw tooLarge(`${blobs.length} byte strings`, `${MAX_BLOBS}`)
  const bytes = blobs.reduce((sum, blob) => sum + blob.length, 0)
  if (bytes > MAX_MESSAGE_BLOB_BYTES) throw tooLarge(`${bytes} bytes`, `${MAX_MESSAGE_BLOB_BYTES}`)
  const framed = blobs.length === 0 ? message : { ...message, bin: blobs.map((blob) => blob.length) }
  const line = `${JSON.stringify(framed)}\n`
  // A UTF-16 unit is at least one byte and at most three: only near the limit is it worth counting.
  if (line.length > MAX_LINE_BYTES / 3 && Buffer.byteLength(line) > MAX_LINE_BYTES) {
    throw tooLarge(`${Buffer.byteLength(line)} bytes of JSON`, `${MAX_LINE_BYTES}`)
  }
  return [line, ...blobs]
}

/** Turns received bytes into messages, wherever they were split. Blobs are copied once. */
export class FrameReader {
  #line: Uint8Array[] = []
  #lineBytes = 0
  #frame: Frame | undefined
  /** Index of the blob being filled, and how much of it is there. */
  #blob = 0
  #filled = 0;

  /** @throws {@link EasyNetError} `protocol_violation`, `too_large`: the connection is of no more use */
  *push(chunk: Uint8Array): Generator<Frame> {
    let at = 0
    while (at < chunk.length) {
      at = this.#frame === undefined ? this.#readLine(chunk, at) : this.#readBlob(chunk, at, this.#frame)
      const done = this.#takeComplete()
      if (done !== undefined) yield done
    }
  }

  #readLine(chunk: Uint8Array, at: number): number {
    const end = chunk.indexOf(NEWLINE, at)
    const part = chunk.subarray(at, end === -1 ? chunk.length : end)
    this.#lineBytes += part.length
    if (this.#lineBytes > MAX_LINE_BYTES) throw tooLarge('A line', `${MAX_LINE_BYTES} bytes`)
    this.#line.push(part)
    if (end === -1) return chunk.length
    this.#frame = this.#lineBytes === 0 ? undefined : parseHeader(joinBytes(this.#line))
    this.#line = []
    this.#lineBytes = 0
    return end + 1
  }

  #readBlob(chunk: Uint8Array, at: number, frame: Frame): number {
    const blob = frame.blobs[this.#blob] ?? new Uint8Array()
    const part = chunk.subarray(at, at + blob.length - this.#filled)
    blob.set(part, this.#filled)
    this.#filled += part.length
    return at + part.length
  }

  #takeComplete(): Frame | undefined {
    const frame = this.#frame
    if (frame === undefined) return undefined
    for (let blob = frame.blobs[this.#blob]; blob?.length === this.#filled; blob = frame.blobs[this.#blob]) {
      this.#blob += 1
      this.#filled = 0
    }
    if (this.#blob < frame.blobs.length) return undefined
    this.#frame = undefined
    this.#blob = 0
    return frame
  }
}

function parseHeader(line: Uint8Array): Frame {
  let message: unknown
  try {
    message = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8'))
  } catch (cause) {
    throw new EasyNetError('protocol_violation', 'The daemon sent a line that is not JSON.', { cause })
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw new EasyNetError('protocol_violation', 'The daemon sent a line that is not a JSON object.')
  }
  const { bin } = message as Message
  return {
    message,
    blobs: bin === undefined ? [] : checkLengths(bin).map(allocateBytes),
  }
}

function checkLengths(bin: unknown): number[] {
  if (!Array.isArray(bin) || bin.length > MAX_BLOBS) {
    throw new EasyNetError('protocol_violation', `"bin" is not a list of at most ${MAX_BLOBS} lengths.`)
  }
  let total = 0
  for (const length of bin) {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new EasyNetError('protocol_violation', '"bin" holds something that is not a length.')
    }
    total += length as number
  }
  if (total > MAX_MESSAGE_BLOB_BYTES) throw tooLarge(`${total} bytes`, `${MAX_MESSAGE_BLOB_BYTES}`)
  return bin as number[]
}

function tooLarge(what: string, limit: string): EasyNetError {
  return new EasyNetError('too_large', `${what} beside or in one message: the limit is ${limit}.`, {
    hint: 'Send it in parts: a function with clientStream reads a stream of inputs.',
  })
}
