import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinBytes, joinParts } from '../../../src/util/bytes.ts'

test('joins parts in order', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (parts) => {
      expect([...joinBytes(parts)]).toEqual(parts.flatMap((part) => [...part]))
    }),
  )
})

test('hands a single part on without copying it', () => {
  const part = Uint8Array.of(1, 2)
  expect(joinBytes([part])).toBe(part)
})

test('texts and bytes are joined in order; large byte strings are not copied', () => {
  const part = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array(),
    fc.constant(new Uint8Array(20_000).fill(3)),
  )
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const joined = joinParts(parts)
      const bytes = (some: (string | Uint8Array)[]) =>
        Buffer.concat(some.map((one) => Buffer.from(one as string)))
      expect(bytes(joined).equals(bytes(parts))).toBe(true)
      expect(joined.filter((one) => one.length === 20_000)).toEqual(
        parts.filter((one) => one.length === 20_000),
      )
    }),
  )
  const large = new Uint8Array(20_000)
  expect(joinParts(['a', new Uint8Array(1), large, 'b', 'c'])).toEqual([Buffer.from('a\0'), large, 'bc'])
  expect(joinParts([large])[0]).toBe(large)
})
