import fc from 'fast-check'
import { expect, test } from 'vitest'
import { signingKeyFromSeed } from '../../../src/identity/signing-key.ts'
import { signWithDomain, verifySignature } from '../../../src/identity/signing.ts'

const key = signingKeyFromSeed(new Uint8Array(32).fill(7))
const domain = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0'))
const bytes = fc.uint8Array({ maxLength: 100 })

test('a signature is good for its domain and its bytes, and for nothing else', () => {
  fc.assert(
    fc.property(domain, bytes, domain, bytes, (domain1, bytes1, domain2, bytes2) => {
      const signature = signWithDomain(key, domain1, bytes1)
      expect(verifySignature(key.publicKey, domain1, bytes1, signature)).toBe(true)
      const same = domain1 === domain2 && Buffer.compare(bytes1, bytes2) === 0
      expect(verifySignature(key.publicKey, domain2, bytes2, signature)).toBe(same)
    }),
  )
})

test('a changed signature, another key and wrong lengths are refused without an error', () => {
  const message = Uint8Array.of(1)
  const signature = signWithDomain(key, 'd', message)
  const other = signingKeyFromSeed(new Uint8Array(32).fill(8)).publicKey
  expect(verifySignature(other, 'd', message, signature)).toBe(false)
  expect(
    verifySignature(
      key.publicKey,
      'd',
      message,
      signature.map((byte) => byte ^ 1),
    ),
  ).toBe(false)
  expect(verifySignature(key.publicKey, 'd', message, signature.subarray(1))).toBe(false)
  expect(verifySignature(new Uint8Array(31), 'd', message, signature)).toBe(false)
  expect(verifySignature(new Uint8Array(32).fill(255), 'd', message, signature)).toBe(false)
})

test('bytes cannot pretend to belong to a domain', () => {
  expect(() => signWithDomain(key, 'a\0b', Uint8Array.of())).toThrow(TypeError)
})
