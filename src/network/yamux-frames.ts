// The frames of yamux: https://github.com/hashicorp/yamux/blob/master/spec.md

export const YamuxType = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const
export const YamuxFlag = { syn: 1, ack: 2, fin: 4, rst: 8 } as const

export interface FrameHeader {
  type: number
  flags: number
  stream: number
  /** Bytes that follow, of a data frame; else a number of its type. */
  length: number
}

export interface FrameListener {
  onHeader(header: FrameHeader): void
  onBytes(stream: number, part: Uint8Array): void
}

const HEADER_BYTES = 12

/** Finds headers and payloads in the bytes of a connection, wherever these are cut. */
export class FrameReader {
  readonly #listener: FrameListener
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #filled = 0
  #stream = 0
  /** Bytes of the current payload that have not come. */
  #left = 0

  constructor(listener: FrameListener) {
    this.#listener = listener
  }

  read(part: Uint8Array): void {
    let at = 0
    while (at < part.length) {
      if (this.#left > 0) {
        const payload = part.subarray(at, at + this.#left)
        this.#left -= payload.length
        at += payload.length
        this.#listener.onBytes(this.#stream, payload)
        continue
      }
      const taken = part.subarray(at, at + HEADER_BYTES - this.#filled)
      this.#header.set(taken, this.#filled)
      this.#filled += taken.length
      at += taken.length
      if (this.#filled === HEADER_BYTES) this.#endHeader()
    }
  }

  #endHeader(): void {
    this.#filled = 0
    const type = this.#header[1] as number
    const length = this.#header.readUInt32BE(8)
    this.#stream = this.#header.readUInt32BE(4)
    this.#listener.onHeader({ type, flags: this.#header.readUInt16BE(2), stream: this.#stream, length })
    if (type === YamuxType.data) this.#left = length
  }
}
