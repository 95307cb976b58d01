import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

// RFC 8410: the fixed beginning of a PKCS#8 Ed25519 key; the seed follows.
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** An Ed25519 key: whoever holds it is the device, or the owner, that it stands for. */
export interface SigningKey {
  /** The 32 secret bytes. libp2p's raw private key is `seed || publicKey`. */
  readonly seed: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Ed25519 signature (64 bytes) of `bytes` as they are. Prefer `signWithDomain`. */
  sign(bytes: Uint8Array): Uint8Array
}

export function generateSigningKey(): SigningKey {
  return fromKeyObject(generateKeyPairSync('ed25519').privateKey)
}

/** A key from its 32 secret bytes. */
export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  const der = Buffer.concat([PKCS8_PREFIX, seed])
  return fromKeyObject(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

/** @throws when `pem` holds no Ed25519 key */
export function signingKeyFromPem(pem: string): SigningKey {
  const key = createPrivateKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError(`a key of type ${key.asymmetricKeyType}`)
  return fromKeyObject(key)
}

/** PKCS#8 in PEM form. */
export function toPem({ seed }: Pick<SigningKey, 'seed'>): string {
  const base64 = Buffer.concat([PKCS8_PREFIX, seed]).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`
}

function fromKeyObject(key: KeyObject): SigningKey {
  const { d, x } = key.export({ format: 'jwk' })
  return {
    seed: new Uint8Array(Buffer.from(d ?? '', 'base64url')),
    publicKey: new Uint8Array(Buffer.from(x ?? '', 'base64url')),
    sign: (bytes) => new Uint8Array(sign(null, bytes, key)),
  }
}
