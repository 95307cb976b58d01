import { createHash } from 'node:crypto'
import { EasyNetError } from '../errors/error.ts'
import { equalBytes, joinBytes } from '../util/bytes.ts'
import { INVITE_SECRET_BYTES } from './invite.ts'
import { decodeAddress, encodeAddress } from './link-address.ts'

const PREFIX = 'easynet://join/'
/** Longest link, so that it fits one message and a QR code that a terminal can show. */
export const MAX_LINK_CHARS = 300
const VERSION = 1
const CHECK_BYTES = 4
const FIXED_BYTES = 1 + 32 + 32 + INVITE_SECRET_BYTES
/** What base64url makes of the characters that are left. */
const MAX_BYTES = Math.floor(((MAX_LINK_CHARS - PREFIX.length) * 3) / 4)
const MAX_ADDRESSES = 3

/** What an invited device has to know: where to ask, whom, and the proof that it was invited. */
export interface JoinLink {
  /** 32 bytes. */
  meshId: Uint8Array
  /** Key of the device that answers, 32 bytes. */
  device: Uint8Array
  /** 16 bytes: whoever has them can use the invite. */
  secret: Uint8Array
  /** Multiaddrs without the peer id; 1 to 3. */
  addresses: readonly string[]
}

/**
 * At most 300 characters: addresses that do not fit are left out, the last first.
 *
 * @throws {@link EasyNetError} `invalid_request` when not one address fits
 */
export function encodeJoinLink({ meshId, device, secret, addresses }: JoinLink): string {
  const parts = [Uint8Array.of(VERSION), meshId, device, secret]
  let left = MAX_BYTES - FIXED_BYTES - CHECK_BYTES
  let count = 0
  for (const address of addresses) {
    const encoded = encodeAddress(address)
    if (count === MAX_ADDRESSES || encoded === undefined || encoded.length > left) continue
    parts.push(encoded)
    left -= encoded.length
    count += 1
  }
  if (count === 0) {
    throw new EasyNetError('invalid_request', 'This device has no address that fits into a link.', {
      hint: 'easynet status',
    })
  }
  const body = joinBytes(parts)
  return `${PREFIX}${Buffer.from(joinBytes([body, checksum(body)])).toString('base64url')}`
}

/** @throws {@link EasyNetError} `invalid_request`; the message does not repeat the link */
export function decodeJoinLink(text: string): JoinLink {
  const trimmed = text.trim()
  if (!trimmed.startsWith(PREFIX)) throw invalidLink(`A link to join begins with ${PREFIX}.`)
  if (trimmed.length > MAX_LINK_CHARS)
    throw invalidLink(`The link has more than ${MAX_LINK_CHARS} characters.`)
  const code = trimmed.slice(PREFIX.length)
  const bytes = new Uint8Array(Buffer.from(code, 'base64url'))
  const body = bytes.subarray(0, -CHECK_BYTES)
  const isWhole =
    Buffer.from(bytes).toString('base64url') === code &&
    body.length > FIXED_BYTES &&
    equalBytes(checksum(body), bytes.subarray(-CHECK_BYTES))
  if (!isWhole) throw invalidLink('The link is damaged: a part of it is missing or was changed.')
  if (body[0] !== VERSION)
    throw invalidLink(`The link is of version ${body[0]}; this program knows ${VERSION}.`)
  return {
    meshId: body.slice(1, 33),
    device: body.slice(33, 65),
    secret: body.slice(65, FIXED_BYTES),
    addresses: decodeAddresses(body.subarray(FIXED_BYTES)),
  }
}

function decodeAddresses(bytes: Uint8Array): string[] {
  const addresses: string[] = []
  for (let at = 0; at < bytes.length;) {
    const decoded = decodeAddress(bytes.subarray(at))
    if (decoded === undefined || addresses.length === MAX_ADDRESSES)
      throw invalidLink('The link names no address.')
    addresses.push(decoded.address)
    at += decoded.bytes
  }
  return addresses
}

function checksum(body: Uint8Array): Uint8Array {
  return createHash('sha256').update(body).digest().subarray(0, CHECK_BYTES)
}

function invalidLink(message: string): EasyNetError {
  return new EasyNetError('invalid_request', message, { hint: 'Ask for a new one: easynet invite' })
}
