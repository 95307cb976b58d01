import { EasyNetError } from '../errors/error.ts'
import { cannotTravel, MAX_VALUE_DEPTH, tooDeep, type Value } from './value.ts'

// How values look in JSON. Bytes are `{"$bytes":"<base64>"}` in HTTP bodies and `{"$bin":index}` on the
// app connection, where they travel beside the line. A user's own object that looks like one of these
// is wrapped as `{"$esc":…}`, so that every value survives the round trip.
const MARKERS = new Set(['$bytes', '$bin', '$esc'])

/**
 * A value as JSON-ready data; see docs/spec/attach.md. What needs no change is not copied: write the result
 * down before the value can change.
 *
 * @param blobs - gets the bytes, which go beside it
 * @throws {@link EasyNetError} `invalid_value` when it is too deep or holds something that cannot travel
 */
export function toFramedJson(value: unknown, blobs: Uint8Array[]): unknown {
  return encode(value, 0, (bytes) => ({ $bin: blobs.push(bytes) - 1 }))
}

/**
 * The inverse of {@link toFramedJson}. Changes the lists of `json` in place.
 *
 * @throws {@link EasyNetError} `invalid_value` when it is not in this form, or names a blob that is not
 * there, or one twice: a small message could otherwise become many copies of one large blob
 */
export function fromFramedJson(json: unknown, blobs: readonly Uint8Array[]): Value {
  let left: (Uint8Array | undefined)[] | undefined
  return decode(json, 0, (key, index) => {
    if (key !== '$bin' || !Number.isSafeInteger(index)) throw malformed(key)
    left ??= [...blobs]
    const blob = left[index as number]
    if (blob === undefined) throw new EasyNetError('invalid_value', `There is no blob ${String(index)}.`)
    left[index as number] = undefined
    return blob
  }) as Value
}

/** A value as JSON-ready data with bytes in base64, for HTTP bodies and `--json` output. */
export function toPlainJson(value: unknown): unknown {
  return encode(value, 0, ({ buffer, byteOffset, length }) => ({
    $bytes: Buffer.from(buffer, byteOffset, length).toString('base64'),
  }))
}

/** The inverse of {@link toPlainJson}. Changes the lists of `json` in place. */
export function fromPlainJson(json: unknown): Value {
  return decode(json, 0, (key, text) => {
    if (key !== '$bytes' || typeof text !== 'string') throw malformed(key)
    return new Uint8Array(Buffer.from(text, 'base64'))
  }) as Value
}

type EncodeBytes = (bytes: Uint8Array) => object

function encode(node: unknown, depth: number, encodeBytes: EncodeBytes): unknown {
  if (depth > MAX_VALUE_DEPTH) throw tooDeep()
  switch (typeof node) {
    case 'string':
    case 'boolean':
      return node
    case 'number':
      if (!Number.isFinite(node)) throw cannotTravel(String(node))
      return node
    case 'undefined':
      return null
    case 'object':
      if (node === null) return null
      if (node instanceof Uint8Array) return encodeBytes(node)
      return Array.isArray(node)
        ? encodeList(node, depth, encodeBytes)
        : encodeObject(node, depth, encodeBytes)
    default:
      throw cannotTravel(typeof node)
  }
}

function encodeList(list: unknown[], depth: number, encodeBytes: EncodeBytes): unknown[] {
  // JSON.stringify would call it.
  let copy = 'toJSON' in list ? Array.from(list) : undefined
  for (let index = 0; index < list.length; index += 1) {
    const item = list[index]
    const encoded = encode(item, depth + 1, encodeBytes)
    if (encoded !== item) (copy ??= Array.from(list))[index] = encoded
  }
  return copy ?? list
}

function encodeObject(node: object, depth: number, encodeBytes: EncodeBytes): unknown {
  if (node instanceof ArrayBuffer) return encodeBytes(new Uint8Array(node))
  if ('toJSON' in node && typeof node.toJSON === 'function') {
    return encode(node.toJSON(), depth + 1, encodeBytes)
  }
  if (node instanceof Map || node instanceof Set) throw cannotTravel(node.constructor.name)
  const content = node as Record<string, unknown>
  // A Number or a String among others, which JSON.stringify would not take for an object.
  let copy = isPlain(node) ? undefined : { ...content }
  let members = 0
  let isMarked = false
  for (const key of Object.keys(content)) {
    const item = content[key]
    if (item === undefined) continue
    members += 1
    isMarked ||= MARKERS.has(key)
    const encoded = encode(item, depth + 1, encodeBytes)
    if (encoded !== item) (copy ??= { ...content })[key] = encoded
  }
  const json = copy ?? content
  return isMarked && members === 1 ? { $esc: json } : json
}

function isPlain(node: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(node)
  return prototype === Object.prototype || prototype === null
}

type DecodeMarker = (key: string, inner: unknown) => unknown

function decode(node: unknown, depth: number, decodeMarker: DecodeMarker): unknown {
  if (depth > MAX_VALUE_DEPTH + 1) throw tooDeep()
  if (typeof node !== 'object' || node === null) return node
  if (Array.isArray(node)) {
    const list = node as unknown[]
    for (let index = 0; index < list.length; index += 1) {
      list[index] = decode(list[index], depth + 1, decodeMarker)
    }
    return list
  }
  let content = node as Record<string, unknown>
  let keys = Object.keys(content)
  const [key] = keys
  if (key === undefined) return content
  if (keys.length === 1 && MARKERS.has(key)) {
    const inner = content[key]
    if (key !== '$esc') return decodeMarker(key, inner)
    if (typeof inner !== 'object' || inner === null) throw malformed(key)
    content = inner as Record<string, unknown>
    keys = Object.keys(content)
  }
  const copy = Object.create(null) as Record<string, unknown>
  for (const name of keys) copy[name] = decode(content[name], depth + 1, decodeMarker)
  return copy
}

function malformed(key: string): EasyNetError {
  return new EasyNetError(
    'invalid_value',
    `An object with the key "${key}" is not in the form of the protocol.`,
  )
}
