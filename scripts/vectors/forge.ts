import { createHash } from 'node:crypto'
import { hashWithDomain } from '../../src/identity/sealed.ts'
import { signWithDomain } from '../../src/identity/signing.ts'
import { type SigningKey, signingKeyFromSeed } from '../../src/identity/signing-key.ts'
import { encodeCbor } from '../../src/util/cbor.ts'

// What the vectors are made with: objects of any content, so that invalid ones can be written too.

/** The time of all vectors: 2026-01-01. */
export const NOW = Date.UTC(2026, 0, 1)
export const NOW_S = NOW / 1_000
export const DAY_S = 86_400

/** The same key for a name every time. */
export function keyOf(name: string): SigningKey {
  return signingKeyFromSeed(createHash('sha256').update(`easynet vectors: ${name}`).digest())
}

export function bytes16(fill: number): Uint8Array {
  return new Uint8Array(16).fill(fill)
}

export function bytes32(fill: number): Uint8Array {
  return new Uint8Array(32).fill(fill)
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Signs whatever it is given, without fields that are undefined. */
export function forge(domain: string, content: object, ...signers: SigningKey[]): Uint8Array {
  const given = Object.entries(content).filter(([, value]) => value !== undefined)
  const payload = encodeCbor(Object.fromEntries(given))
  return encodeCbor([payload, ...signers.map((signer) => signWithDomain(signer, domain, payload))])
}

/** The id of what `forge` made of the same content. */
export function idOf(domain: string, content: unknown): Uint8Array {
  return hashWithDomain(domain, encodeCbor(content))
}
