import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { privateKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'

export interface DeviceKey {
  peerId: string
  sign(bytes: Uint8Array): Uint8Array
}

/** @param raw - 32 bytes of seed, then the public key */
export function signerOf(raw: Uint8Array): DeviceKey {
  const part = (from: number, to: number): string => Buffer.from(raw.subarray(from, to)).toString('base64url')
  const key = createPrivateKey({
    key: { kty: 'OKP', crv: 'Ed25519', d: part(0, 32), x: part(32, 64) },
    format: 'jwk',
  })
  return {
    peerId: peerIdFromPrivateKey(privateKeyFromRaw(raw)).toString(),
    sign: (bytes) => sign(null, bytes, key),
  }
}

/** A device that exists on paper only. */
export function inventDevice(): DeviceKey {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return signerOf(Buffer.concat([Buffer.from(d ?? '', 'base64url'), Buffer.from(x ?? '', 'base64url')]))
}
