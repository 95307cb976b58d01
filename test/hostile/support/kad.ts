// Messages of the DHT by hand: https://github.com/libp2p/specs/tree/master/kad-dht#rpc-messages
import { randomBytes } from 'node:crypto'
import { multiaddr } from '@multiformats/multiaddr'

export const KadType = {
  putValue: 0,
  getValue: 1,
  addProvider: 2,
  getProviders: 3,
  findNode: 4,
  ping: 5,
} as const

/** Field `number` of a protobuf message, length-delimited. */
export function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(content.length), content])
}

export function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left])
    bytes.push((left % 128) | 0x80)
  }
}

export function kadMessage(type: number, ...fields: Buffer[]): Buffer {
  return prefixed(Buffer.concat([Buffer.from([0x08, type]), ...fields]))
}

/** With its length before it. */
export function prefixed(content: Uint8Array): Buffer {
  return Buffer.concat([varint(content.length), content])
}

export function sha256Hash(): Buffer {
  return Buffer.concat([Buffer.from([0x12, 0x20]), randomBytes(32)])
}

/** @param peer - multihash of the peer id that is said to provide */
export function addProvider(peer: Uint8Array, hash: Uint8Array, addresses = 1): Buffer {
  const address = multiaddr('/ip4/127.0.0.1/tcp/1').bytes
  const provider = Buffer.concat([
    field(1, peer),
    ...Array.from({ length: addresses }, (_, port) =>
      field(2, Buffer.concat([address.subarray(0, -2), Buffer.from([port >> 8, port & 255])])),
    ),
  ])
  return kadMessage(KadType.addProvider, field(2, hash), field(9, provider))
}
