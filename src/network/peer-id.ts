import { peerIdFromString } from '@libp2p/peer-id'
import { EasyNetError } from '../errors/error.ts'

/** The raw Ed25519 key inside a peer id. @throws `invalid_request` for other kinds of ids */
export function publicKeyOf(peerId: string): Uint8Array {
  const id = parse(peerId)
  if (id?.type !== 'Ed25519') {
    throw new EasyNetError('invalid_request', `"${peerId.slice(0, 80)}" is not the peer id of a device.`)
  }
  return id.publicKey.raw
}

function parse(peerId: string): ReturnType<typeof peerIdFromString> | undefined {
  try {
    return peerIdFromString(peerId)
  } catch (error) {
    throw new EasyNetError('invalid_request', `"${peerId.slice(0, 80)}" is not a peer id.`, { cause: error })
  }
}
