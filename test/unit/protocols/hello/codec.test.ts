import { expect, test } from 'vitest'
import { decodeHello, encodeHello } from '../../../../src/protocols/hello/codec.ts'
import { encodeCbor } from '../../../../src/util/cbor.ts'

const hello = { name: 'laptop', software: 'easynet/0.1.0', features: [] }

test('a hello says the time of its sender; one of an older version does not', () => {
  expect(decodeHello(encodeHello({ ...hello, now: 1_800_000_000_000 }))).toMatchObject({
    now: 1_800_000_000_000,
  })
  expect(decodeHello(encodeHello(hello))).toEqual(hello)
})

test.each([-1, 0.5, '1800000000000', null])('a time of %s is no hello', (now) => {
  expect(() => decodeHello(encodeCbor({ ...hello, now }))).toThrow('unknown form')
})
