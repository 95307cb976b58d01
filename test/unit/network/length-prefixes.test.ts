import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IncomingBytes } from '../../../src/network/length-prefixes.ts'

test('bytes of any kind are refused or read, and how they are cut makes no difference', () => {
  const outcome = (bytes: Uint8Array, cut: number): unknown => {
    const incoming = new IncomingBytes({ accepts: (protocol) => protocol === '/p' }, () => true)
    try {
      for (let at = 0; at < bytes.length; at += cut) incoming.read(bytes.subarray(at, at + cut))
      return incoming.isFree
    } catch (error) {
      return (error as Error).message
    }
  }
  const start = fc.constantFrom(Buffer.alloc(0), Buffer.from('\u0013/multistream/1.0.0\n\u0003/p\n'))
  const check = (first: Buffer, rest: Uint8Array, cut: number): void => {
    const bytes = Buffer.concat([first, rest])
    expect(outcome(bytes, cut)).toEqual(outcome(bytes, bytes.length + 1))
  }
  fc.assert(fc.property(start, fc.uint8Array({ maxLength: 3_000 }), fc.integer({ min: 1, max: 50 }), check))
})
