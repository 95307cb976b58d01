import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinBytes } from '../../../src/util/bytes.ts'

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
