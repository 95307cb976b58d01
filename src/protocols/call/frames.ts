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

  /** @param data - bytes, or a list of them as libp2p hands them on */
  push(data: Uint8Array | Iterable<Uint8Array>): void {
    if (data instanceof Uint8Array) this.#push(data)
    else for (const chunk of data) this.#push(chunk)
  }

  #push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
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
        this.#drop(FRAME_HEADER_BYTES)
        this.#blobLeft = payloadBytes
        this.#blobCall = call
        continue
      }
      if (this.#bytes < FRAME_HEADER_BYTES + payloadBytes) return undefined
      this.#drop(FRAME_HEADER_BYTES)
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

  #take(length: number): Uint8Array {
    const bytes = this.#peek(length)
    this.#drop(length)
    return bytes.length === length ? bytes : bytes.subarray(0, length)
  }

  /** The next `length` bytes, and perhaps more: copied only when they are in several chunks. */
  #peek(length: number): Uint8Array {
    const [first] = this.#chunks
    if (first !== undefined && first.length >= length) return first
    const joined = Buffer.allocUnsafe(length)
    let filled = 0
    for (let index = 0; filled < length; index += 1) {
      const chunk = this.#chunks[index] as Uint8Array
      joined.set(chunk.subarray(0, length - filled), filled)
      filled += chunk.length
    }
    return joined
  }

  #drop(length: number): void {
    this.#bytes -= length
    let left = length
    let whole = 0
    for (
      let chunk = this.#chunks[0];
      chunk !== undefined && chunk.length <= left;
      chunk = this.#chunks[whole]
    ) {
      left -= chunk.length
      whole += 1
    }
    if (whole > 0) this.#chunks.splice(0, whole)
    if (left > 0) this.#chunks[0] = (this.#chunks[0] as Uint8Array).subarray(left)
  }
}
