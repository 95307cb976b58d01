import { base58btc } from 'multiformats/bases/base58'

/**
 * The peer id of an Ed25519 public key, as libp2p writes it: the key in its protobuf form, as an
 * identity multihash, in base 58 (https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md).
 */
export function peerIdOf(publicKey: Uint8Array): string {
  const prefix = Buffer.from('002408011220', 'hex')
  // The letter that names the base is left out.
  return base58btc.encode(Buffer.concat([prefix, publicKey])).slice(1)
}
