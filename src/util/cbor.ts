import { decode, encode, Token, Type, type DecodeOptions, type EncodeOptions } from 'cborg'
import { EasyNetError } from '../errors/error.ts'

// Strict CBOR (RFC 8949). Input of other devices is scanned for depth and item count before anything
// is decoded: a few kilobytes of nested or tiny items would otherwise become megabytes of objects.

export const MAX_CBOR_DEPTH = 68
export const MAX_CBOR_ITEMS = 100_000

const decodeOptions: DecodeOptions = {
  allowIndefinite: false,
  allowBigInt: false,
  allowInfinity: false,
  allowNaN: false,
  coerceUndefinedToNull: true,
  rejectDuplicateMapKeys: true,
  strict: false,
}

/** A CBOR tag that stands for one of our own objects, with an unsigned integer as content. */
export interface CborTag {
  tag: number
  matches(value: object): boolean
  toNumber(value: object): number
  fromNumber(content: number): unknown
}

/** Encodes deterministically: map keys sorted (RFC 8949 §4.2.1), shortest numbers. Can be signed. */
export function encodeCbor(value: unknown): Uint8Array {
  return encode(value)
}

export interface CborCodec {
  encode(value: unknown): Uint8Array
  /** @throws {@link EasyNetError} `protocol_violation` */
  decode(bytes: Uint8Array): unknown
}

const keepOrder = (): number => 0

/** A codec that keeps the order of map keys, as programs expect of their values, and may know one tag. */
export function createCborCodec(tag?: CborTag): CborCodec {
  if (tag === undefined)
    return { encode: (value) => encode(value, { mapSorter: keepOrder }), decode: decodeCbor }
  const encodeOptions: EncodeOptions = {
    mapSorter: keepOrder,
    typeEncoders: {
      Object: (value: object) =>
        tag.matches(value) ? [new Token(Type.tag, tag.tag), new Token(Type.uint, tag.toNumber(value))] : null,
    },
  }
  const options: DecodeOptions = {
    ...decodeOptions,
    tags: {
      [tag.tag]: (content) => {
        const number = content()
        if (!Number.isSafeInteger(number) || (number as number) < 0) {
          throw new Error('the content of the tag is not an unsigned integer')
        }
        return tag.fromNumber(number as number)
      },
    },
  }
  return { encode: (value) => encode(value, encodeOptions), decode: (bytes) => decodeWith(bytes, options) }
}

/** @throws {@link EasyNetError} `protocol_violation` when `bytes` are not one strict, bounded CBOR item */
export function decodeCbor(bytes: Uint8Array): unknown {
  return decodeWith(bytes, decodeOptions)
}

function decodeWith(bytes: Uint8Array, options: DecodeOptions): unknown {
  checkCborBounds(bytes)
  try {
    return decode(bytes, options)
  } catch (error) {
    throw violation('is not valid CBOR', error)
  }
}

/**
 * Walks the heads of all items without building anything. Short inputs cannot exceed the bounds.
 *
 * @throws {@link EasyNetError} `protocol_violation`
 */
export function checkCborBounds(bytes: Uint8Array): void {
  if (bytes.length <= MAX_CBOR_DEPTH) return
  const open: number[] = []
  let items = 0
  let at = 0
  while (at < bytes.length) {
    const head = bytes[at] as number
    const info = head & 0x1f
    const major = head >> 5
    const width = argumentWidth(info)
    at += 1
    if (at + width > bytes.length) throw violation('ends in the middle of an item')
    let argument = width === 0 ? info : 0
    for (const end = at + width; at < end; at += 1) argument = argument * 256 + (bytes[at] as number)
    if (major === 2 || major === 3) at += argument
    items += 1
    if (items > MAX_CBOR_ITEMS) throw violation(`has more than ${MAX_CBOR_ITEMS} items`)
    const children = major === 4 ? argument : major === 5 ? argument * 2 : major === 6 ? 1 : 0
    if (children > MAX_CBOR_ITEMS) throw violation(`has more than ${MAX_CBOR_ITEMS} items`)
    if (children > 0) open.push(children)
    else closeFinished(open)
    if (open.length > MAX_CBOR_DEPTH) throw violation(`is nested deeper than ${MAX_CBOR_DEPTH} levels`)
  }
}

/** Bytes of the argument that follows a head. */
function argumentWidth(info: number): number {
  if (info < 24) return 0
  if (info > 27) throw violation('uses an indefinite or reserved length')
  return 1 << (info - 24)
}

function closeFinished(open: number[]): void {
  while (open.length > 0) {
    const left = (open[open.length - 1] as number) - 1
    if (left > 0) {
      open[open.length - 1] = left
      return
    }
    open.pop()
  }
}

function violation(what: string, cause?: unknown): EasyNetError {
  return new EasyNetError('protocol_violation', `A message ${what}.`, cause === undefined ? {} : { cause })
}
