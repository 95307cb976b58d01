// The field of Ed25519, little-endian (RFC 8032, 5.1). Keys of small order are points that a signature
// says nothing about: OpenSSL 3.0 accepts one signature of such a key for many messages, 3.5.8 refuses.
const FIELD = 2n ** 255n - 19n
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD - 1n,
  fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
  fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
])

const PUBLIC_KEY_BYTES = 32

/** True for 32 bytes that are the one encoding of a y coordinate, and of no point of small order. */
export function isUsablePublicKey(key: Uint8Array): boolean {
  if (key.length !== PUBLIC_KEY_BYTES) return false
  const y = littleEndian(key) & (2n ** 255n - 1n)
  return y < FIELD && !SMALL_ORDER_Y.has(y)
}

function fromHex(hex: string): bigint {
  return littleEndian(Buffer.from(hex, 'hex'))
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}
