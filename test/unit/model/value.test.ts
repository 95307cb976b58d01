import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  approximateBytes,
  attachBlobs,
  BlobRef,
  detachBlobs,
  MAX_VALUE_DEPTH,
  type Value,
} from '../../../src/model/value.ts'
import { values } from '../support/values.ts'

test('what was taken out is put back', () => {
  fc.assert(
    fc.property(values(), fc.integer({ min: 0, max: 30 }), (value, minBytes) => {
      const { skeleton, blobs } = detachBlobs(value, minBytes)
      expect(blobs.every((blob) => blob.length >= minBytes)).toBe(true)
      expect(attachBlobs(skeleton, blobs)).toEqual(value)
    }),
  )
})

test('bytes are handed on uncopied, and the value is left as it was', () => {
  const photo = new Uint8Array(100)
  const value = { photo, name: 'cat' }
  const { skeleton, blobs } = detachBlobs([value], 50)
  expect(blobs[0]).toBe(photo)
  expect(skeleton).toEqual([{ photo: new BlobRef(0), name: 'cat' }])
  expect(value.photo).toBe(photo)
})

test('undefined in a list becomes null, in an object it is left out', () => {
  expect(detachBlobs([undefined, { a: undefined, b: 1 }], 0).skeleton).toEqual([null, { b: 1 }])
})

test('dates and other objects with toJSON travel as what that returns; buffers as bytes', () => {
  expect(detachBlobs(new Date(0), 0).skeleton).toBe('1970-01-01T00:00:00.000Z')
  expect(detachBlobs(new ArrayBuffer(3), 9).skeleton).toEqual(new Uint8Array(3))
})

test('a text or number under the key toJSON is data', () => {
  expect(detachBlobs({ toJSON: 'x' }, 0).skeleton).toEqual({ toJSON: 'x' })
})

test.each([
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a big integer', 10n],
  ['a map', new Map()],
  ['a set', new Set()],
  ['NaN', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
])('%s cannot travel', (_, value) => {
  expect(() => detachBlobs({ value }, 0)).toThrow(expect.objectContaining({ reason: 'invalid_value' }))
})

test('nesting is bounded, and a cycle is too deep', () => {
  const nested = (depth: number): unknown => {
    let value: unknown = 1
    for (let i = 0; i < depth; i++) value = [value]
    return value
  }
  expect(() => detachBlobs(nested(MAX_VALUE_DEPTH), 0)).not.toThrow()
  expect(() => detachBlobs(nested(MAX_VALUE_DEPTH + 1), 0)).toThrow('deeper')
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  expect(() => detachBlobs(cycle, 0)).toThrow('deeper')
  const endless = { toJSON: () => ({ ...endless }) }
  expect(() => detachBlobs(endless, 0)).toThrow('deeper')
})

test.each<[string, Value[], number]>([
  ['a blob that did not come', [new BlobRef(0) as never], 0],
  ['a blob beyond the last', [new BlobRef(1) as never], 1],
  ['one blob for two places', [new BlobRef(0) as never, new BlobRef(0) as never], 1],
])('a value that names %s is refused', (_, skeleton, count) => {
  const blobs = Array.from({ length: count }, () => new Uint8Array(4))
  expect(() => attachBlobs(skeleton, blobs)).toThrow(expect.objectContaining({ reason: 'invalid_value' }))
})

test('the size of a value counts bytes and texts', () => {
  expect(approximateBytes(new Uint8Array(1_000))).toBe(1_000)
  expect(approximateBytes('é'.repeat(10))).toBe(20)
  expect(approximateBytes([1, null, true])).toBe(16 + 3 * 8)
  expect(approximateBytes({ a: [new Uint8Array(5)] })).toBe(16 + 16 + 5)
})
