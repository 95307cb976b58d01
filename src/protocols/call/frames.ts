import { EasyNetError } from '../../errors/error.ts'
import { joinBytes } from '../../util/bytes.ts'
import { FRAME_HEADER_BYTES, MAX_BLOB_FRAME_BYTES, MAX_FRAME_BYTES } from './constants.ts'

// length (u32, of what follows) · type (u8) · call (u32) · payload. See docs/spec/call.md.

export const FrameType = {
  call: 1,
  value: 2,
  blob: 3,
  end: 4,
  result: 5,
  error: 6,
  progress: 7,
  log: 8,
  cancel: 9,
  accepted: 10,
  ack: 11,
  ask: 12,
  verdict: 13,
  stored: 14,
} as const
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

const LAST_TYPE = 14
/** Chunks are joined up to here while a frame is incomplete. */
const MERGED_CHUNK_BYTES = 1_024

export interface Frame {
  type: number
  /** 0 on a stream that carries one call only. */
  call: number
  /** The whole payload; of a BLOB frame the part that has arrived. */
  payload: Uint8Array
}

/** The nine bytes before a payload. */
export function frameHeader(type: FrameType, call: number, payloadBytes: number): Uint8Array {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES)
  header.writeUInt32BE(payloadBytes + FRAME_HEADER_BYTES - 4, 0)
  header.writeUInt8(type, 4)
  header.writeUInt32BE(call, 5)
  return header
}

/**
 * Cuts a byte stream into frames. Frames of the wrong type or length are refused by their header,
 * before their payload is stored. BLOB payloads are handed on as they come, never gathered.
 */
export class FrameSplitter {
  #chunks: Uint8Array[] = []
  #bytes = 0
  /** What is left of the BLOB frame that is being read. */
  #blobLeft = 0
  #blobCall = 0

  push(data: Uint8Array | { subarray(): Uint8Array }): void {
    const chunk = data instanceof Uint8Array ? data : data.subarray()
    this.#bytes += chunk.length
    const last = this.#chunks.at(-1)
    // A frame that comes byte by byte would otherwise take a hundred times its size.
    if (last !== undefined && last.length + chunk.length <= MERGED_CHUNK_BYTES) {
      this.#chunks[this.#chunks.length - 1] = joinBytes([last, chunk])
    } else {
      this.#chunks.push(chunk)
    }
  }

  /** The next frame, or undefined until more bytes come. @throws `protocol_violation` */
  next(): Frame | undefined {
    while (this.#blobLeft === 0) {
      if (this.#bytes < FRAME_HEADER_BYTES) return undefined
      const { type, call, payloadBytes } = this.#header()
      if (type === FrameType.blob) {
        this.#take(FRAME_HEADER_BYTES)
        this.#blobLeft = payloadBytes
        this.#blobCall = call
        continue
      }
      if (this.#bytes < FRAME_HEADER_BYTES + payloadBytes) return undefined
      this.#take(FRAME_HEADER_BYTES)
      return { type, call, payload: this.#take(payloadBytes) }
    }
    return this.#nextBlobPart()
  }

  #header(): { type: number; call: number; payloadBytes: number } {
    const header = this.#peek(FRAME_HEADER_BYTES)
    const view = new DataView(header.buffer, header.byteOffset, FRAME_HEADER_BYTES)
    const payloadBytes = view.getUint32(0) - (FRAME_HEADER_BYTES - 4)
    const type = view.getUint8(4)
    const call = view.getUint32(5)
    const limit = type === FrameType.blob ? MAX_BLOB_FRAME_BYTES : MAX_FRAME_BYTES
    if (payloadBytes < 0 || payloadBytes > limit || type === 0 || type > LAST_TYPE) {
      throw new EasyNetError('protocol_violation', 'A frame of a call has a wrong type or length.', {
        details: { type, payloadBytes },
      })
    }
    return { type, call, payloadBytes }
  }

  #nextBlobPart(): Frame | undefined {
    const first = this.#chunks[0]
    if (first === undefined) return undefined
    const payload = this.#take(Math.min(first.length, this.#blobLeft))
    this.#blobLeft -= payload.length
    return { type: FrameType.blob, call: this.#blobCall, payload }
  }

  #peek(length: number): Uint8Array {
    const first = this.#chunks[0]
    if (first !== undefined && first.length >= length) return first
    const joined = joinBytes(this.#chunks)
    this.#chunks = [joined]
    return joined
  }

  #take(length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0)
    const first = this.#peek(length)
    this.#bytes -= length
    if (first.length === length) {
      this.#chunks.shift()
      return first
    }
    this.#chunks[0] = first.subarray(length)
    return first.subarray(0, length)
  }
}
