import { EasyNetError } from '../errors/error.ts'

/**
 * What an argument, a chunk or a result can be. Bytes are native everywhere but in JSON.
 * Integers beyond ±(2^53 − 1) do not survive JSON; send them as strings.
 */
export type Value = null | boolean | number | string | Uint8Array | Value[] | { [key: string]: Value }

/** Deepest nesting of arrays and objects in a value. */
export const MAX_VALUE_DEPTH = 64
/** Largest argument list or result, bytes included. */
export const MAX_VALUE_BYTES = 128 * 1024 * 1024
/** Largest single chunk of a stream, bytes included. */
export const MAX_CHUNK_BYTES = 8 * 1024 * 1024

/** Stands for the bytes at `index` of a list that travels beside the value. */
export class BlobRef {
  readonly index: number
  constructor(index: number) {
    this.index = index
  }
}

/** A value whose long byte strings were taken out, so that they are sent without being copied. */
export interface Detached {
  readonly skeleton: unknown
  readonly blobs: readonly Uint8Array[]
}

/**
 * Takes byte strings of at least `minBytes` out of `value` and puts a {@link BlobRef} in their place.
 *
 * @throws {@link EasyNetError} `invalid_value` when it is too deep or holds something that cannot travel
 */
export function detachBlobs(value: unknown, minBytes: number): Detached {
  const blobs: Uint8Array[] = []
  const walk = (node: unknown, depth: number): unknown => {
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
        if (node instanceof Uint8Array) {
          return node.length < minBytes ? node : new BlobRef(blobs.push(node) - 1)
        }
        if (Array.isArray(node)) return node.map((item) => walk(item, depth + 1))
        return walkObject(node, depth)
      default:
        throw cannotTravel(typeof node)
    }
  }
  const walkObject = (node: object, depth: number): unknown => {
    if (node instanceof ArrayBuffer) return walk(new Uint8Array(node), depth)
    if ('toJSON' in node && typeof node.toJSON === 'function') return walk(node.toJSON(), depth + 1)
    if (node instanceof Map || node instanceof Set) throw cannotTravel(node.constructor.name)
    const copy: Record<string, unknown> = Object.create(null) as Record<string, unknown>
    for (const [key, item] of Object.entries(node)) if (item !== undefined) copy[key] = walk(item, depth + 1)
    return copy
  }
  return { skeleton: walk(value, 0), blobs }
}

/**
 * Puts the blobs back: the inverse of {@link detachBlobs}. Changes `skeleton` in place.
 *
 * @throws {@link EasyNetError} `invalid_value` when it names a blob that is not there, or one twice: a
 * small message could otherwise become many copies of one large blob when it is sent on.
 */
export function attachBlobs(skeleton: unknown, blobs: readonly Uint8Array[]): Value {
  const left: (Uint8Array | undefined)[] = [...blobs]
  const walk = (node: unknown): unknown => {
    if (node instanceof BlobRef) {
      const blob = left[node.index]
      if (blob === undefined) throw new EasyNetError('invalid_value', `There is no blob ${node.index}.`)
      left[node.index] = undefined
      return blob
    }
    if (typeof node !== 'object' || node === null || node instanceof Uint8Array) return node
    const container = node as Record<string, unknown>
    for (const key of Object.keys(container)) container[key] = walk(container[key])
    return container
  }
  return walk(skeleton) as Value
}

/** Close enough for a limit: bytes and texts count, small parts as 8. */
export function approximateBytes(value: Value): number {
  if (typeof value === 'string') return value.length * 2
  if (typeof value !== 'object' || value === null) return 8
  if (value instanceof Uint8Array) return value.length
  let bytes = 16
  for (const item of Array.isArray(value) ? value : Object.values(value)) bytes += approximateBytes(item)
  return bytes
}

/** The error for a value beyond {@link MAX_VALUE_DEPTH}. */
export function tooDeep(): EasyNetError {
  return new EasyNetError('invalid_value', `The value is nested deeper than ${MAX_VALUE_DEPTH} levels.`)
}

/** The error for what is no {@link Value}. @param what - its kind, in words */
export function cannotTravel(what: string): EasyNetError {
  return new EasyNetError('invalid_value', `A value of type ${what} cannot be sent.`, {
    hint: 'Send null, booleans, numbers, strings, bytes, lists and plain objects.',
  })
}
