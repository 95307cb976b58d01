import { expect, test } from 'vitest'
import { MIN_RELEASED_BYTES, releaseBytes } from '../../../src/util/release.ts'

test('bytes that fill their buffer are given back', () => {
  const bytes = new Uint8Array(MIN_RELEASED_BYTES)
  releaseBytes(bytes)
  expect([bytes.length, bytes.buffer.byteLength]).toEqual([0, 0])
  releaseBytes(bytes)
})

test.each([
  ['few bytes', new Uint8Array(MIN_RELEASED_BYTES - 1)],
  ['bytes at the start of a buffer', new Uint8Array(2 * MIN_RELEASED_BYTES).subarray(0, -1)],
  ['bytes at its end', new Uint8Array(2 * MIN_RELEASED_BYTES).subarray(1)],
  ['bytes of the pool of Node', Buffer.allocUnsafe(Buffer.poolSize / 4)],
  ['memory that is shared', new Uint8Array(new SharedArrayBuffer(2 * MIN_RELEASED_BYTES))],
])('%s stay', (_, bytes) => {
  const { length } = bytes
  releaseBytes(bytes)
  expect(bytes.length).toBe(length)
})
