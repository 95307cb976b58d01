import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlobRef } from '../../../src/model/value.ts'
import { readWithBlobs, writeValue } from '../../../src/protocols/call/values.ts'
import { CborWriter, readCborValue } from '../../../src/util/cbor-values.ts'
import { createCborCodec, MAX_CBOR_DEPTH, MAX_CBOR_ITEMS } from '../../../src/util/cbor.ts'
import { values } from '../support/values.ts'

// The library is the measure: both have to say the same of the same bytes.
const library = createCborCodec()

function write(value: unknown): Uint8Array {
  const writer = new CborWriter()
  writeValue(writer, value, [])
  return writer.end()
}
const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const refused = (read: () => unknown): boolean => {
  try {
    read()
    return false
  } catch (error) {
    expect(error).toMatchObject({ reason: 'protocol_violation' })
    return true
  }
}

test('the library reads what was written here, and the other way round', () => {
  fc.assert(
    fc.property(values(), (value) => {
      expect(library.decode(write(value))).toEqual(value)
      expect(readCborValue(library.encode(value))).toEqual(value)
      expect(readCborValue(write(value))).toEqual(value)
    }),
    { numRuns: 500 },
  )
})

test('integers, lengths and texts at the ends of their forms', () => {
  const numbers = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]
  for (const number of [...numbers, ...numbers.slice(1).map((n) => -n), 0.5, 1e300, -1.5e-10, 2 ** 60]) {
    expect(library.decode(write(number))).toBe(number)
    expect(readCborValue(write(number))).toBe(number)
  }
  for (const length of [0, 23, 24, 63, 64, 65, 255, 256, 65_535, 65_536]) {
    for (const text of ['a'.repeat(length), '世'.repeat(length)]) {
      expect(library.decode(write(text))).toBe(text)
      expect(readCborValue(write(text))).toBe(text)
    }
    const bytes = new Uint8Array(Math.min(length, 16_000)).fill(length)
    expect(readCborValue(write(bytes))).toEqual(bytes)
  }
  expect(Object.is(readCborValue(write(-0)), -0)).toBe(true)
})

test('of mutated and of arbitrary bytes both say the same', () => {
  const change = fc.record({ at: fc.nat(200), byte: fc.integer({ min: 0, max: 255 }), cut: fc.boolean() })
  const mutated = fc.tuple(values(), fc.array(change, { maxLength: 3 })).map(([value, changes]) => {
    let bytes = Buffer.from(library.encode(value))
    for (const { at, byte, cut } of changes) {
      if (cut) bytes = bytes.subarray(0, at % (bytes.length + 1))
      else if (bytes.length > 0) bytes[at % bytes.length] = byte
    }
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 60 })), (bytes) => {
      let known: unknown
      const isRefused = refused(() => (known = library.decode(bytes)))
      expect(refused(() => readCborValue(bytes))).toBe(isRefused)
      if (!isRefused) expect(readCborValue(bytes)).toEqual(known)
    }),
    { numRuns: 5_000 },
  )
})

test('a key called __proto__ is a key like others', () => {
  const read = readCborValue(hex('a1 69 5f5f70726f746f5f5f a1 61 78 01')) as Record<string, unknown>
  expect(Object.keys(read)).toEqual(['__proto__'])
  expect(read['x']).toBeUndefined()
})

test('depth and items are bounded, and nothing is reserved for what is claimed', () => {
  const nested = (depth: number): Uint8Array => Buffer.concat([Buffer.alloc(depth, 0x81), hex('00')])
  expect(() => readCborValue(nested(MAX_CBOR_DEPTH))).not.toThrow()
  expect(refused(() => readCborValue(nested(MAX_CBOR_DEPTH + 1)))).toBe(true)
  expect(refused(() => readCborValue(nested(1_000_000)))).toBe(true)
  const list = (items: number): Uint8Array =>
    Buffer.concat([hex('9a'), Buffer.from(Uint32Array.of(items).buffer).swap32(), Buffer.alloc(items, 1)])
  expect(readCborValue(list(MAX_CBOR_ITEMS - 1))).toHaveLength(MAX_CBOR_ITEMS - 1)
  expect(refused(() => readCborValue(list(MAX_CBOR_ITEMS)))).toBe(true)
  for (const head of [
    '9a ffffffff',
    'ba ffffffff',
    '5a 7fffffff',
    '7b 000000007fffffff',
    '9b 001fffffffffffff',
  ]) {
    expect(refused(() => readCborValue(hex(`${head} 00 00`)))).toBe(true)
  }
})

test('a blob leaves its index; where none are expected, and for other tags, it is refused', () => {
  const blobs: Uint8Array[] = []
  const writer = new CborWriter()
  const blob = new Uint8Array(16 * 1024)
  writeValue(writer, [1, blob], blobs)
  const bytes = writer.end()
  expect(blobs).toEqual([blob])
  expect(readWithBlobs(bytes)).toEqual([1, new BlobRef(0)])
  expect(refused(() => readCborValue(bytes))).toBe(true)
  expect(refused(() => readWithBlobs(hex('d9 9c4c 01')))).toBe(true)
  expect(refused(() => readWithBlobs(hex('d9 9c4b 20')))).toBe(true)
})
