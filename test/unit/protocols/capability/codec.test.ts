import { expect, test } from 'vitest'
import fc from 'fast-check'
import { EasyNetError } from '../../../../src/errors/error.ts'
import { signingKeyFromSeed } from '../../../../src/identity/signing-key.ts'
import { signWithDomain } from '../../../../src/identity/signing.ts'
import { type Advert, CLOCK_TOLERANCE_MS, MAX_ADVERT_VALIDITY_MS } from '../../../../src/model/advert.ts'
import { advertisedFunctionSchema } from '../../../../src/model/function.ts'
import {
  decodeQuestion,
  encodeQuestion,
  isTimely,
  signAdvert,
  signAnnouncement,
  verifyAdvert,
  verifyAnnouncement,
} from '../../../../src/protocols/capability/codec.ts'
import {
  ADVERT_DOMAIN,
  ANNOUNCE_DOMAIN,
  MAX_ADVERT_BYTES,
  MAX_KNOWN_ENTRIES,
} from '../../../../src/protocols/capability/constants.ts'
import { decodeCbor, encodeCbor } from '../../../../src/util/cbor.ts'

const NOW = 1_800_000_000_000
const alice = signingKeyFromSeed(new Uint8Array(32).fill(1))
const mallory = signingKeyFromSeed(new Uint8Array(32).fill(2))
const keys = new Map([
  ['alice', alice.publicKey],
  ['mallory', mallory.publicKey],
])
const verifier = {
  now: () => NOW,
  publicKeyOf(peerId: string): Uint8Array {
    const key = keys.get(peerId)
    if (key === undefined) throw new EasyNetError('invalid_request', 'no peer id')
    return key
  },
}
const advert: Advert = {
  peerId: 'alice',
  name: 'alice laptop',
  software: 'easynet/0.1.0',
  seq: 7,
  issuedAt: NOW,
  expiresAt: NOW + 3_600_000,
  addresses: ['/ip4/10.0.0.1/tcp/4677'],
  functions: [advertisedFunctionSchema.parse({ name: 'text.upper' })],
}
const refused = expect.objectContaining({ reason: 'protocol_violation' }) as Error
const verify = (bytes: Uint8Array) => verifyAdvert(verifier, bytes)
const sealed = (content: unknown, key = alice, domain = ADVERT_DOMAIN): Uint8Array => {
  const payload = encodeCbor(content)
  return encodeCbor([payload, signWithDomain(key, domain, payload)])
}

test('a signed advert is accepted by others, byte by byte as it was signed', () => {
  const signed = signAdvert(alice, advert)
  expect(verify(signed.bytes)).toEqual({ advert, bytes: signed.bytes })
})

test('an advert that another key signed is refused', () => {
  expect(() => verify(signAdvert(mallory, advert).bytes)).toThrow(refused)
})

test('an advert of which a byte was changed is refused', () => {
  const { bytes } = signAdvert(alice, advert)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] as number) ^ flip
      expect(() => verify(changed)).toThrow(refused)
    }),
  )
})

test('a signature made for an announcement proves no advert', () => {
  expect(() => verify(sealed(advert, alice, ANNOUNCE_DOMAIN))).toThrow(refused)
})

test('an expired advert is refused, a clock that is an hour off does no harm', () => {
  const at = (expiresAt: number) => signAdvert(alice, { ...advert, expiresAt }).bytes
  // Signed ten minutes ago, valid for an hour, and our clock is an hour ahead.
  expect(() => verify(at(NOW - 10 * 60_000))).not.toThrow()
  expect(() => verify(at(NOW - CLOCK_TOLERANCE_MS))).not.toThrow()
  expect(() => verify(at(NOW - CLOCK_TOLERANCE_MS - 1))).toThrow('expired')
  expect(() => verify(at(NOW + MAX_ADVERT_VALIDITY_MS + CLOCK_TOLERANCE_MS))).not.toThrow()
  expect(() => verify(at(NOW + MAX_ADVERT_VALIDITY_MS + CLOCK_TOLERANCE_MS + 1))).toThrow('too long')
})

test.each<[string, Partial<Advert>]>([
  ['a name with control characters', { name: 'a\u001B[2J' }],
  ['a name that looks like an address', { name: 'alice/f' }],
  ['no name', { name: '' }],
  ['too many addresses', { addresses: Array.from({ length: 17 }, () => '/ip4/1.2.3.4/tcp/1') }],
  ['a negative number', { seq: -1 }],
  ['a peer id that is none', { peerId: 'nobody' }],
])('an advert with %s is refused', (_, change) => {
  expect(() => verify(sealed({ ...advert, ...change }))).toThrow(refused)
})

test('an advert that is too long is neither signed nor read', () => {
  const functions = Array.from({ length: 400 }, (_, i) =>
    advertisedFunctionSchema.parse({ name: `f${i}`, description: 'x'.repeat(1_000) }),
  )
  expect(() => signAdvert(alice, { ...advert, functions })).toThrow(
    expect.objectContaining({ reason: 'too_large' }),
  )
  expect(() => verify(new Uint8Array(MAX_ADVERT_BYTES + 1))).toThrow('too long')
  expect(() => verify(sealed({ ...advert, functions }))).toThrow('too long')
})

test('fields of newer versions are passed on although they are not understood', () => {
  const bytes = sealed({ ...advert, energyWatts: 3 })
  const signed = verify(bytes)
  expect(signed.bytes).toBe(bytes)
  expect(signed.advert).toEqual(advert)
})

test('a signed announcement is accepted, forged ones are not', () => {
  const news = { peerId: 'alice', seq: 7, expiresAt: NOW + 1 }
  const check = (bytes: Uint8Array) => verifyAnnouncement(verifier, bytes)
  expect(check(signAnnouncement(alice, news))).toEqual(news)
  expect(() => check(signAnnouncement(mallory, news))).toThrow(refused)
  expect(() => check(sealed(['alice', 7, NOW], alice, ADVERT_DOMAIN))).toThrow(refused)
  expect(() => check(signAnnouncement(alice, { ...news, peerId: 'x'.repeat(500) }))).toThrow(refused)
})

test('what has expired or claims to be valid for too long is not timely, wrong clocks aside', () => {
  const day = 24 * 3_600_000
  const times = [
    -CLOCK_TOLERANCE_MS - 1,
    -CLOCK_TOLERANCE_MS,
    0,
    day + CLOCK_TOLERANCE_MS,
    day + CLOCK_TOLERANCE_MS + 1,
  ]
  expect(times.map((after) => isTimely(NOW, NOW + after))).toEqual([false, true, true, true, false])
})

test('a question comes back, with or without a choice of peers or of a function', () => {
  const known = new Map([
    ['alice', 1],
    ['bob', 2],
  ])
  expect(decodeQuestion(encodeQuestion(known))).toEqual({ known })
  expect(decodeQuestion(encodeQuestion(known, { peerIds: ['carol'] }))).toEqual({
    known,
    only: new Set(['carol']),
  })
  expect(decodeQuestion(encodeQuestion(known, { offering: 'f' }))).toEqual({ known, offering: 'f' })
})

test('a question is bounded by the asking and by the answering side', () => {
  const many = new Map(Array.from({ length: MAX_KNOWN_ENTRIES + 5 }, (_, i) => [`peer-${i}`, i] as const))
  expect(decodeQuestion(encodeQuestion(many)).known.size).toBe(MAX_KNOWN_ENTRIES)
  expect(() => decodeQuestion(encodeCbor([[...many], null]))).toThrow(refused)
  expect(() => decodeQuestion(encodeQuestion(new Map(), { offering: 'x'.repeat(129) }))).toThrow(refused)
})

test('arbitrary bytes are refused with protocol_violation', () => {
  const pair = fc.tuple(fc.uint8Array(), fc.uint8Array()).map((parts) => encodeCbor(parts))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), pair), (bytes) => {
      for (const read of [verify, decodeQuestion, (b: Uint8Array) => verifyAnnouncement(verifier, b)]) {
        expect(() => read(bytes)).toThrow(refused)
      }
    }),
  )
  expect(decodeCbor(encodeCbor(null))).toBeNull()
})
