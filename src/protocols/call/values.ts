import { BlobRef, cannotTravel, MAX_VALUE_DEPTH, tooDeep } from '../../model/value.ts'
import { type CborWriter, readCborValue } from '../../util/cbor-values.ts'
import { MIN_BLOB_BYTES } from './constants.ts'

/** Content of tag 40011: the index of a blob that follows the value. */
const BLOB_TAG = 40_011

/**
 * Writes a value. Byte strings of at least {@link MIN_BLOB_BYTES} go to `blobs` and leave their index; the
 * rules are those of `detachBlobs`.
 *
 * @throws {@link EasyNetError} `invalid_value` when it is too deep or holds something that cannot travel
 */
export function writeValue(writer: CborWriter, value: unknown, blobs: Uint8Array[], depth = 0): void {
  if (depth > MAX_VALUE_DEPTH) throw tooDeep()
  switch (typeof value) {
    case 'string':
      return writer.text(value)
    case 'boolean':
      return writer.boolean(value)
    case 'number':
      if (!Number.isFinite(value)) throw cannotTravel(String(value))
      return writer.number(value)
    case 'undefined':
      return writer.null()
    case 'object':
      return value === null ? writer.null() : writeObject(writer, value, blobs, depth)
    default:
      throw cannotTravel(typeof value)
  }
}

function writeObject(writer: CborWriter, value: object, blobs: Uint8Array[], depth: number): void {
  if (value instanceof Uint8Array) return writeBytes(writer, value, blobs)
  if (Array.isArray(value)) {
    writer.array(value.length)
    for (const item of value as unknown[]) writeValue(writer, item, blobs, depth + 1)
    return
  }
  if (value instanceof ArrayBuffer) return writeBytes(writer, new Uint8Array(value), blobs)
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return writeValue(writer, value.toJSON(), blobs, depth + 1)
  }
  if (value instanceof Map || value instanceof Set) throw cannotTravel(value.constructor.name)
  const keys = Object.keys(value)
  const members = value as Record<string, unknown>
  let length = 0
  for (const key of keys) if (members[key] !== undefined) length += 1
  writer.map(length)
  for (const key of keys) {
    const item = members[key]
    if (item === undefined) continue
    writer.text(key)
    writeValue(writer, item, blobs, depth + 1)
  }
}

function writeBytes(writer: CborWriter, bytes: Uint8Array, blobs: Uint8Array[]): void {
  if (bytes.length < MIN_BLOB_BYTES) return writer.bytes(bytes)
  writer.tag(BLOB_TAG)
  writer.uint(blobs.push(bytes) - 1)
}

/** What {@link writeValue} has written, with a {@link BlobRef} for each blob. @throws `protocol_violation` */
export function readWithBlobs(bytes: Uint8Array): unknown {
  return readCborValue(bytes, (tag, content) => {
    if (tag !== BLOB_TAG || !Number.isSafeInteger(content) || (content as number) < 0) return undefined
    return new BlobRef(content as number)
  })
}
