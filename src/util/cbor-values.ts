import { EasyNetError } from '../errors/error.ts'
import { MAX_CBOR_DEPTH, MAX_CBOR_ITEMS } from './cbor.ts'

// CBOR (RFC 8949) of plain values in one pass, for what is sent with every call: a library that goes by
// tokens takes three to four times as long (docs/performance.md). What is signed goes through `cbor.ts`.

const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
const UNDEFINED = 0xf7
const FLOAT_16 = 25
const FLOAT_64 = 27
/** A small call fits. */
const FIRST_CAPACITY = 256
/** Longest text that is tried as ASCII, byte by byte; longer ones are for the runtime's own encoder. */
const MAX_ASCII_LOOP = 64
const TWO_32 = 2 ** 32

/** Writes items one after the other. */
export class CborWriter {
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY)
  #at = 0

  /** What was written. Nothing more may be written after it. */
  end(): Uint8Array {
    return this.#buffer.subarray(0, this.#at)
  }

  uint(value: number): void {
    this.#head(MAJOR.uint, value)
  }

  boolean(value: boolean): void {
    this.#byte(value ? TRUE : FALSE)
  }

  null(): void {
    this.#byte(NULL)
  }

  /** `length` items follow. */
  array(length: number): void {
    this.#head(MAJOR.array, length)
  }

  /** `length` pairs follow. */
  map(length: number): void {
    this.#head(MAJOR.map, length)
  }

  tag(tag: number): void {
    this.#head(MAJOR.tag, tag)
  }

  /** Integers in the shortest form, all others with 64 bits. */
  number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      if (value >= 0) this.#head(MAJOR.uint, value)
      else this.#head(MAJOR.negative, -1 - value)
      return
    }
    this.#reserve(9)
    this.#buffer[this.#at] = (MAJOR.simple << 5) | FLOAT_64
    this.#buffer.writeDoubleBE(value, this.#at + 1)
    this.#at += 9
  }

  bytes(value: Uint8Array): void {
    this.#head(MAJOR.bytes, value.length)
    this.#reserve(value.length)
    this.#buffer.set(value, this.#at)
    this.#at += value.length
  }

  text(value: string): void {
    const { length } = value
    if (length <= MAX_ASCII_LOOP && this.#ascii(value)) return
    const bytes = Buffer.byteLength(value)
    this.#head(MAJOR.text, bytes)
    this.#reserve(bytes)
    this.#buffer.write(value, this.#at, 'utf8')
    this.#at += bytes
  }

  #ascii(value: string): boolean {
    const { length } = value
    const start = this.#at
    this.#head(MAJOR.text, length)
    this.#reserve(length)
    const buffer = this.#buffer
    let at = this.#at
    for (let index = 0; index < length; index += 1) {
      const code = value.charCodeAt(index)
      if (code > 0x7f) {
        this.#at = start
        return false
      }
      buffer[at] = code
      at += 1
    }
    this.#at = at
    return true
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#at] = value
    this.#at += 1
  }

  #head(major: number, argument: number): void {
    this.#reserve(9)
    const buffer = this.#buffer
    const at = this.#at
    const type = major << 5
    if (argument < 24) {
      buffer[at] = type | argument
      this.#at = at + 1
    } else if (argument < 0x100) {
      buffer[at] = type | 24
      buffer[at + 1] = argument
      this.#at = at + 2
    } else if (argument < 0x1_0000) {
      buffer[at] = type | 25
      buffer[at + 1] = argument >>> 8
      buffer[at + 2] = argument
      this.#at = at + 3
    } else if (argument < TWO_32) {
      buffer[at] = type | 26
      buffer.writeUInt32BE(argument, at + 1)
      this.#at = at + 5
    } else {
      buffer[at] = type | 27
      buffer.writeUInt32BE(Math.floor(argument / TWO_32), at + 1)
      buffer.writeUInt32BE(argument % TWO_32, at + 5)
      this.#at = at + 9
    }
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#at)
    this.#buffer = grown
  }
}

/** What a tag and its content stand for; undefined for a tag that is not known. */
export type TagReader = (tag: number, content: unknown) => unknown

/**
 * The one item in `bytes`, with the strictness of `decodeCbor`: no indefinite lengths, no numbers beyond
 * 2^53, no NaN or infinity, no key twice, no more than {@link MAX_CBOR_ITEMS} items in {@link MAX_CBOR_DEPTH}
 * levels, nothing after it. Nothing is allocated for what is claimed and not there.
 *
 * @throws {@link EasyNetError} `protocol_violation`
 */
export function readCborValue(bytes: Uint8Array, onTag?: TagReader): unknown {
  const reader = new CborReader(bytes, onTag)
  const value = reader.value(1)
  reader.end()
  return value
}

class CborReader {
  readonly #bytes: Buffer
  readonly #onTag: TagReader | undefined
  #at = 0
  #items = 0

  constructor(bytes: Uint8Array, onTag: TagReader | undefined) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#onTag = onTag
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw violation('has bytes after its end')
  }

  value(depth: number): unknown {
    const bytes = this.#bytes
    if (this.#at >= bytes.length) throw violation('ends in the middle of an item')
    this.#items += 1
    if (this.#items > MAX_CBOR_ITEMS) throw violation(`has more than ${MAX_CBOR_ITEMS} items`)
    const head = bytes[this.#at] as number
    this.#at += 1
    const info = head & 0x1f
    switch (head >> 5) {
      case MAJOR.uint:
        return this.#argument(info)
      case MAJOR.negative:
        return this.#negative(info)
      case MAJOR.bytes:
        return this.#byteString(this.#length(info))
      case MAJOR.text:
        return this.#text(this.#length(info))
      case MAJOR.array:
        return this.#array(this.#length(info), this.#deeper(depth))
      case MAJOR.map:
        return this.#map(this.#length(info), this.#deeper(depth))
      case MAJOR.tag:
        return this.#tagged(this.#argument(info), this.#deeper(depth))
      default:
        return this.#simple(head, info)
    }
  }

  #deeper(depth: number): number {
    if (depth > MAX_CBOR_DEPTH) throw violation(`is nested deeper than ${MAX_CBOR_DEPTH} levels`)
    return depth + 1
  }

  #argument(info: number): number {
    if (info < 24) return info
    if (info > 27) throw violation('uses an indefinite or reserved length')
    const at = this.#at
    const width = 1 << (info - 24)
    if (at + width > this.#bytes.length) throw violation('ends in the middle of an item')
    this.#at = at + width
    if (width < 8) return this.#bytes.readUIntBE(at, width)
    const argument = this.#bytes.readUInt32BE(at) * TWO_32 + this.#bytes.readUInt32BE(at + 4)
    if (!Number.isSafeInteger(argument)) throw violation('has a number beyond 2^53')
    return argument
  }

  #negative(info: number): number {
    const value = -1 - this.#argument(info)
    if (!Number.isSafeInteger(value)) throw violation('has a number beyond 2^53')
    return value
  }

  /** A length that the bytes can hold: an item takes a byte at least. */
  #length(info: number): number {
    const length = this.#argument(info)
    if (length > this.#bytes.length - this.#at) throw violation('ends in the middle of an item')
    return length
  }

  #byteString(length: number): Uint8Array {
    const start = this.#at
    this.#at = start + length
    // A copy: what is kept must not keep the whole message.
    const copy = new Uint8Array(length)
    this.#bytes.copy(copy, 0, start, this.#at)
    return copy
  }

  #text(length: number): string {
    const start = this.#at
    this.#at = start + length
    return this.#bytes.toString('utf8', start, this.#at)
  }

  #array(length: number, depth: number): unknown[] {
    if (length > MAX_CBOR_ITEMS) throw violation(`has more than ${MAX_CBOR_ITEMS} items`)
    const items: unknown[] = []
    for (let index = 0; index < length; index += 1) items.push(this.value(depth))
    return items
  }

  #map(length: number, depth: number): Record<string, unknown> {
    if (length * 2 > MAX_CBOR_ITEMS) throw violation(`has more than ${MAX_CBOR_ITEMS} items`)
    const map: Record<string, unknown> = {}
    for (let index = 0; index < length; index += 1) {
      const key = this.value(depth)
      if (typeof key !== 'string') throw violation('has a key that is no text')
      if (Object.hasOwn(map, key)) throw violation('has a key twice')
      const value = this.value(depth)
      // Assigned it would change the prototype.
      if (key !== '__proto__') map[key] = value
      else Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
    }
    return map
  }

  #tagged(tag: number, depth: number): unknown {
    const meaning = this.#onTag?.(tag, this.value(depth))
    if (meaning === undefined) throw violation('has a tag without a meaning')
    return meaning
  }

  #simple(head: number, info: number): unknown {
    if (head === FALSE || head === TRUE) return head === TRUE
    if (head === NULL || head === UNDEFINED) return null
    if (info < FLOAT_16 || info > FLOAT_64) throw violation('has a simple value without a meaning')
    const at = this.#at
    const width = 1 << (info - 24)
    if (at + width > this.#bytes.length) throw violation('ends in the middle of an item')
    this.#at = at + width
    const float =
      width === 8 ? this.#bytes.readDoubleBE(at) : width === 4 ? this.#bytes.readFloatBE(at) : this.#half(at)
    if (!Number.isFinite(float)) throw violation('has a number that is not finite')
    return float
  }

  /** RFC 8949, appendix D. */
  #half(at: number): number {
    const half = this.#bytes.readUInt16BE(at)
    const exponent = (half >> 10) & 0x1f
    const mantissa = half & 0x3ff
    const size =
      exponent === 0
        ? mantissa * 2 ** -24
        : exponent === 31
          ? Infinity
          : (mantissa + 1024) * 2 ** (exponent - 25)
    return half & 0x8000 ? -size : size
  }
}

function violation(what: string): EasyNetError {
  return new EasyNetError('protocol_violation', `A message ${what}.`)
}
