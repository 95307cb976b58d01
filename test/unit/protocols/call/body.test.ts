import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlobGatherer, Tally } from '../../../../src/protocols/call/body.ts'

test('blobs come back whatever the parts in which they come', () => {
  const blobs = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 })
  fc.assert(
    fc.property(blobs, fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 200 }), (blobs, sizes) => {
      const gatherer = new BlobGatherer(blobs.map((blob) => blob.length))
      let rest = Buffer.concat(blobs)
      for (const size of sizes) {
        if (rest.length > 0) expect(gatherer.complete).toBe(false)
        gatherer.add(rest.subarray(0, size))
        rest = rest.subarray(size)
      }
      gatherer.add(rest)
      expect(gatherer.complete).toBe(true)
      expect(gatherer.blobs.map((blob) => [...blob])).toEqual(blobs.map((blob) => [...blob]))
    }),
  )
})

test('more bytes than were announced are refused', () => {
  const gatherer = new BlobGatherer([2, 0, 1])
  gatherer.add(Uint8Array.of(1, 2))
  expect(() => gatherer.add(Uint8Array.of(3, 4))).toThrow(
    expect.objectContaining({ reason: 'protocol_violation' }),
  )
  expect(() => new BlobGatherer([]).add(Uint8Array.of(1))).toThrow('More bytes')
})

test('memory is reserved for a blob only when the one before it is full', () => {
  const gatherer = new BlobGatherer([4, 100 * 1024 * 1024])
  gatherer.add(Uint8Array.of(1, 2, 3))
  expect(gatherer.blobs).toHaveLength(1)
})

function tallyOf(items: number, ...parts: number[][]): Tally {
  const tally = new Tally()
  for (let i = 0; i < items; i++) tally.addItem()
  for (const part of parts) tally.addBytes(Uint8Array.from(part))
  return tally
}

test('an END frame proves as many bytes, however they were cut', () => {
  expect(() => tallyOf(2, [1], [2, 3]).check(tallyOf(2, [1, 2], [3]).encode())).not.toThrow()
})

test.each([
  ['a byte too many', tallyOf(1, [1, 3, 5])],
  ['a missing byte', tallyOf(1, [1])],
  ['a missing item', tallyOf(0, [1, 3])],
])('%s is told as incomplete', (_, received) => {
  const sent = tallyOf(1, [1, 3]).encode()
  expect(() => received.check(sent)).toThrow(expect.objectContaining({ reason: 'incomplete' }))
})
