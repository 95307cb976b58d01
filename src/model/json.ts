import { EasyNetError } from '../errors/error.ts'
import { attachBlobs, BlobRef, detachBlobs, MAX_VALUE_DEPTH, type Value } from './value.ts'

// How values look in JSON. Bytes are `{"$bytes":"<base64>"}` in HTTP bodies and `{"$bin":index}` on the
// app connection, where they travel beside the line. A user's own object that looks like one of these
// is wrapped as `{"$esc":…}`, so that every value survives the round trip.
const MARKERS = new Set(['$bytes', '$bin', '$esc'])

/** A value as JSON-ready data plus the bytes that go beside it; see docs/spec/attach.md. */
export function toFramedJson(value: unknown): { json: unknown; blobs: readonly Uint8Array[] } {
  const { skeleton, blobs } = detachBlobs(value, 0)
  return { json: encode(skeleton, (index) => ({ $bin: index })), blobs }
}

/** The inverse of {@link toFramedJson}. */
export function fromFramedJson(json: unknown, blobs: readonly Uint8Array[]): Value {
  let refs = 0
  const skeleton = decode(json, 0, (key, inner) => {
    if (key !== '$bin' || !Number.isSafeInteger(inner)) throw malformed(key)
    refs += 1
    return new BlobRef(inner as number)
  })
  return refs > 0 ? attachBlobs(skeleton, blobs) : (skeleton as Value)
}

/** A value as JSON-ready data with bytes in base64, for HTTP bodies and `--json` output. */
export function toPlainJson(value: unknown): unknown {
  const { skeleton, blobs } = detachBlobs(value, 0)
  return encode(skeleton, (index) => ({ $bytes: Buffer.from(blobs[index] ?? []).toString('base64') }))
}

/** The inverse of {@link toPlainJson}. */
export function fromPlainJson(json: unknown): Value {
  return decode(json, 0, (key, inner) => {
    if (key !== '$bytes' || typeof inner !== 'string') throw malformed(key)
    return new Uint8Array(Buffer.from(inner, 'base64'))
  }) as Value
}

function encode(node: unknown, encodeBlob: (index: number) => unknown): unknown {
  if (node instanceof BlobRef) return encodeBlob(node.index)
  if (typeof node !== 'object' || node === null) return node
  if (Array.isArray(node)) return node.map((item) => encode(item, encodeBlob))
  const entries = Object.entries(node).map(([key, item]) => [key, encode(item, encodeBlob)] as const)
  const plain = Object.fromEntries(entries)
  return isMarker(node) ? { $esc: plain } : plain
}

function decode(
  node: unknown,
  depth: number,
  decodeMarker: (key: string, inner: unknown) => unknown,
): unknown {
  if (depth > MAX_VALUE_DEPTH + 1) {
    throw new EasyNetError('invalid_value', `The value is nested deeper than ${MAX_VALUE_DEPTH} levels.`)
  }
  if (typeof node !== 'object' || node === null) return node
  if (Array.isArray(node)) return node.map((item) => decode(item, depth + 1, decodeMarker))
  let content: object = node
  if (isMarker(node)) {
    const [key, inner] = Object.entries(node)[0] as [string, unknown]
    if (key !== '$esc') return decodeMarker(key, inner)
    if (typeof inner !== 'object' || inner === null) throw malformed(key)
    content = inner
  }
  const copy = Object.create(null) as Record<string, unknown>
  for (const [key, item] of Object.entries(content)) copy[key] = decode(item, depth + 1, decodeMarker)
  return copy
}

function isMarker(node: object): boolean {
  const keys = Object.keys(node)
  return keys.length === 1 && MARKERS.has(keys[0] as string)
}

function malformed(key: string): EasyNetError {
  return new EasyNetError(
    'invalid_value',
    `An object with the key "${key}" is not in the form of the protocol.`,
  )
}
