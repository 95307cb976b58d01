import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import {
  createCborCodec,
  decodeCbor,
  encodeCbor,
  MAX_CBOR_DEPTH,
  MAX_CBOR_ITEMS,
} from '../../../src/util/cbor.ts'
import { values } from '../support/values.ts'

class Ref {
  readonly index: number
  constructor(index: number) {
    this.index = index
  }
}
const refs = createCborCodec({
  tag: 40_011,
  matches: (value) => value instanceof Ref,
  toNumber: (value) => (value as Ref).index,
  fromNumber: (index) => new Ref(index),
})

const decodeRefs = (bytes: Uint8Array): unknown => refs.decode(bytes)
const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const repeat = (byte: number, times: number): Uint8Array => Buffer.alloc(times, byte)
const violation = (bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown = decodeCbor): void => {
  try {
    decode(bytes)
  } catch (error) {
    expect(error).toMatchObject({ reason: 'protocol_violation' })
    return
  }
  expect.fail(`${Buffer.from(bytes.subarray(0, 20)).toString('hex')} was accepted`)
}

test('every value comes back', () => {
  fc.assert(
    fc.property(values(), (value) => {
      expect(decodeCbor(encodeCbor(value))).toEqual(value)
      expect(createCborCodec().decode(createCborCodec().encode(value))).toEqual(value)
    }),
  )
})

test('the signed form does not depend on the order of keys; the other form keeps it', () => {
  const [ab, ba] = [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ]
  expect(encodeCbor(ab)).toEqual(encodeCbor(ba))
  const codec = createCborCodec()
  expect(Object.keys(codec.decode(codec.encode(ba)) as object)).toEqual(['b', 'a'])
})

test('a key called __proto__ is a key like others', () => {
  const decoded = decodeCbor(hex('a1 69 5f5f70726f746f5f5f a1 61 78 01')) as Record<string, unknown>
  expect(Object.keys(decoded)).toEqual(['__proto__'])
  expect(decoded['x']).toBeUndefined()
  expect(({} as Record<string, unknown>)['x']).toBeUndefined()
})

test('the tag of a codec carries an index; other tags and contents are refused', () => {
  expect(refs.decode(refs.encode([new Ref(7), 'x']))).toEqual([new Ref(7), 'x'])
  violation(hex('d9 9c4b 61 78'), decodeRefs)
  violation(hex('d9 9c4b 20'), decodeRefs)
  violation(hex('d9 9c4c 01'), decodeRefs)
  violation(refs.encode(new Ref(7)))
})

test('nesting is bounded before anything is built', () => {
  const nested = (depth: number): Uint8Array => Buffer.concat([repeat(0x81, depth), hex('00')])
  expect(() => decodeCbor(nested(MAX_CBOR_DEPTH))).not.toThrow()
  violation(nested(MAX_CBOR_DEPTH + 1))
  violation(nested(1_000_000))
  violation(Buffer.concat([repeat(0xd8, 2).fill(0), repeat(0xc1, 1_000)]))
})

test('the number of items is bounded before anything is built', () => {
  const list = (items: number, item: number): Uint8Array =>
    Buffer.concat([hex('9a'), Buffer.from(Uint32Array.of(items).buffer).swap32(), repeat(item, items)])
  expect(decodeCbor(list(MAX_CBOR_ITEMS - 1, 0x01))).toHaveLength(MAX_CBOR_ITEMS - 1)
  violation(list(MAX_CBOR_ITEMS, 0x01))
  violation(list(1_000_000, 0xa0))
})

test('lengths that are claimed but not there are refused without reserving memory', () => {
  const filler = '00'.repeat(80)
  for (const head of ['9a ffffffff', '9b ffffffffffffffff', 'ba ffffffff', 'bb 7fffffffffffffff']) {
    violation(hex(head))
    violation(hex(`${head} ${filler}`))
  }
  for (const head of ['5a ffffffff', '5b 7fffffffffffffff', '7b ffffffffffffffff', '7a 7fffffff']) {
    violation(hex(head))
    violation(hex(`${head} ${filler}`))
  }
})

test('indefinite lengths, duplicate keys, big integers, NaN and trailing bytes are refused', () => {
  violation(hex('9f 01 ff'))
  violation(hex('5f 41 00 ff'))
  violation(hex('bf 61 61 01 ff'))
  violation(hex('a2 61 61 01 61 61 02'))
  violation(hex('a1 01 02'))
  violation(hex('1b ffffffffffffffff'))
  violation(hex('c2 49 010000000000000000'))
  violation(hex('f9 7e00'))
  violation(hex('f9 7c00'))
  violation(hex('01 01'))
  violation(hex(''))
})

test('every prefix of a message is refused', () => {
  fc.assert(
    fc.property(values(), fc.nat(), (value, cut) => {
      const bytes = encodeCbor([value, 'end'])
      violation(bytes.subarray(0, cut % bytes.length))
    }),
  )
})

test('arbitrary bytes decode or fail with protocol_violation, never otherwise', () => {
  const broken = fc
    .tuple(values(), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }))
    .map(([value, changes]) => {
      const bytes = Uint8Array.from(encodeCbor(value))
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte
      return bytes
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), broken), (bytes) => {
      for (const decode of [decodeCbor, decodeRefs]) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(EasyNetError)
          expect(error).toMatchObject({ reason: 'protocol_violation' })
        }
      }
    }),
    { numRuns: 1_000 },
  )
})
