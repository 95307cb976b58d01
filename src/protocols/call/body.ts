import { EasyNetError } from '../../errors/error.ts'
import { allocateBytes } from '../../util/bytes.ts'
import { decodeEnd, encodeEnd } from './codec.ts'

/**
 * Counts what goes one way on a stream of its own, for the END frame: proof that all of it arrived. That
 * nothing was changed or moved is proved by the encryption of the connection.
 */
export class Tally {
  #items = 0
  #bytes = 0

  addItem(): void {
    this.#items += 1
  }

  addBytes(bytes: Uint8Array): void {
    this.#bytes += bytes.length
  }

  /** The payload of our END frame. */
  encode(): Uint8Array {
    return encodeEnd({ items: this.#items, bytes: this.#bytes })
  }

  /** Compares the other side's END frame with what arrived. @throws `incomplete` */
  check(payload: Uint8Array): void {
    const end = decodeEnd(payload)
    if (end.items !== this.#items || end.bytes !== this.#bytes) {
      throw new EasyNetError('incomplete', 'What arrived is not all that was sent.', {
        details: { sentBytes: end.bytes, receivedBytes: this.#bytes },
      })
    }
  }
}

/**
 * Collects the blobs that were announced with a value. Memory for them is reserved one by one, when
 * their first bytes come.
 */
export class BlobGatherer {
  readonly #lengths: readonly number[]
  readonly #blobs: Uint8Array[] = []
  #filled = 0

  constructor(lengths: readonly number[]) {
    this.#lengths = lengths
    this.#openNext()
  }

  get complete(): boolean {
    return this.#blobs.length === this.#lengths.length && this.#filled === (this.#blobs.at(-1)?.length ?? 0)
  }

  get blobs(): readonly Uint8Array[] {
    return this.#blobs
  }

  /** @throws `protocol_violation` when more comes than was announced */
  add(part: Uint8Array): void {
    let rest = part
    while (rest.length > 0) {
      const blob = this.#blobs.at(-1)
      if (blob === undefined || this.complete) {
        throw new EasyNetError('protocol_violation', 'More bytes came than were announced.')
      }
      const fits = rest.subarray(0, blob.length - this.#filled)
      blob.set(fits, this.#filled)
      this.#filled += fits.length
      rest = rest.subarray(fits.length)
      this.#openNext()
    }
  }

  #openNext(): void {
    while (this.#filled === (this.#blobs.at(-1)?.length ?? 0) && this.#blobs.length < this.#lengths.length) {
      this.#blobs.push(allocateBytes(this.#lengths[this.#blobs.length] ?? 0))
      this.#filled = 0
    }
  }
}
