import { expect, test } from 'vitest'
import { isUsablePublicKey } from '../../../src/identity/public-key.ts'
import { verifySignature } from '../../../src/identity/signing.ts'
import { generateSigningKey } from '../../../src/identity/signing-key.ts'

// All points of order 1, 2, 4 and 8 and their other encodings (as libsodium lists them), with both signs.
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].flatMap((hex) => {
  const key = new Uint8Array(Buffer.from(hex, 'hex'))
  return [key, key.with(31, (key[31] as number) ^ 0x80)]
})

test('keys of small order are refused in every encoding, also where the library takes them', () => {
  expect(SMALL_ORDER.filter((key) => isUsablePublicKey(key))).toEqual([])
  // S = 1, R = B: with a key of order 1 that is a signature of everything (OpenSSL 3.0 says so).
  const base = `58${'66'.repeat(31)}`
  const signature = new Uint8Array(Buffer.from(`${base}01${'00'.repeat(31)}`, 'hex'))
  const forged = SMALL_ORDER.filter((key) => verifySignature(key, 'd', Uint8Array.of(1), signature))
  expect(forged).toEqual([])
})

test('a key has one encoding', () => {
  for (let add = 0; add < 19; add += 1) {
    const key = Uint8Array.of(0xed + add, ...new Uint8Array(30).fill(0xff), 0x7f)
    expect([add, isUsablePublicKey(key)]).toEqual([add, false])
  }
})

test('keys that we make are usable', () => {
  for (let n = 0; n < 50; n += 1) expect(isUsablePublicKey(generateSigningKey().publicKey)).toBe(true)
})

test('a signature has one form: S plus the group order is refused', () => {
  const key = generateSigningKey()
  const domainAndMessage = Buffer.concat([Buffer.from('d\0'), Buffer.of(1)])
  const signature = key.sign(domainAndMessage)
  expect(verifySignature(key.publicKey, 'd', Uint8Array.of(1), signature)).toBe(true)
  const order = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
  const other = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  const forged = Uint8Array.of(...signature.subarray(0, 32), ...other)
  expect(verifySignature(key.publicKey, 'd', Uint8Array.of(1), forged)).toBe(false)
})
