import { createPublicKey, verify } from 'node:crypto'
import { isUsablePublicKey } from './public-key.ts'
import type { SigningKey } from './signing-key.ts'

const SIGNATURE_BYTES = 64

/**
 * Signature over `domain || 0x00 || bytes`. The domain names what is signed (`easynet/receipt/1`), so
 * that a signature made for one purpose is worthless for every other.
 *
 * @param domain - without a zero byte
 */
export function signWithDomain(key: Pick<SigningKey, 'sign'>, domain: string, bytes: Uint8Array): Uint8Array {
  return key.sign(signedBytes(domain, bytes))
}

/**
 * True when `signature` was made by {@link signWithDomain} with the same domain and bytes. Keys and
 * signatures of a wrong length, and keys of small order, are false as well: they come from other devices.
 *
 * @param publicKey - Ed25519, 32 bytes
 */
export function verifySignature(
  publicKey: Uint8Array,
  domain: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== SIGNATURE_BYTES || !isUsablePublicKey(publicKey)) return false
  const x = Buffer.from(publicKey).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verify(null, signedBytes(domain, bytes), key, signature)
}

function signedBytes(domain: string, bytes: Uint8Array): Uint8Array {
  if (domain.includes('\0')) throw new TypeError('A signing domain has no zero byte.')
  return Buffer.concat([Buffer.from(`${domain}\0`), bytes])
}
