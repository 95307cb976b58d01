import { z } from 'zod'
import { EasyNetError } from '../../errors/error.ts'
import { signWithDomain, verifySignature } from '../../identity/signing.ts'
import {
  type Advert,
  advertSchema,
  type Announcement,
  CLOCK_TOLERANCE_MS,
  MAX_ADVERT_VALIDITY_MS,
  type SignedAdvert,
} from '../../model/advert.ts'
import { decodeCbor, encodeCbor } from '../../util/cbor.ts'
import {
  ADVERT_DOMAIN,
  ANNOUNCE_DOMAIN,
  MAX_ADVERT_BYTES,
  MAX_ANNOUNCEMENT_BYTES,
  MAX_FUNCTION_NAME_CHARS,
  MAX_KNOWN_ENTRIES,
} from './constants.ts'

// Everything signed is `[payload bytes, signature]`, so that it is passed on byte by byte as it came.

export interface Signer {
  sign(bytes: Uint8Array): Uint8Array
}

export interface Verifier {
  /** The raw Ed25519 key inside a peer id. @throws for other ids */
  publicKeyOf: (peerId: string) => Uint8Array
  /** Epoch ms. */
  now: () => number
}

/** @throws `too_large` when the device offers more than fits */
export function signAdvert(signer: Signer, advert: Advert): SignedAdvert {
  const bytes = seal(signer, ADVERT_DOMAIN, advert)
  if (bytes.length > MAX_ADVERT_BYTES) {
    throw new EasyNetError('too_large', `The functions' descriptions take ${bytes.length} bytes.`, {
      details: { limitBytes: MAX_ADVERT_BYTES },
      hint: 'Shorten descriptions and schemas, or register fewer functions.',
    })
  }
  return { advert, bytes }
}

/** @throws `protocol_violation` when it is malformed, forged or expired */
export function verifyAdvert(verifier: Verifier, bytes: Uint8Array): SignedAdvert {
  const { payload, signature } = unseal(bytes, MAX_ADVERT_BYTES)
  const parsed = advertSchema.safeParse(decodeCbor(payload))
  if (!parsed.success) throw invalid('advert', 'has an unknown form')
  const advert = parsed.data
  if (!isSignedBy(verifier, advert.peerId, ADVERT_DOMAIN, payload, signature)) {
    throw invalid('advert', 'is not signed by the device that it names')
  }
  checkTime('advert', verifier.now(), advert.expiresAt)
  return { advert, bytes }
}

export function signAnnouncement(signer: Signer, announcement: Announcement): Uint8Array {
  const { peerId, seq, expiresAt } = announcement
  return seal(signer, ANNOUNCE_DOMAIN, [peerId, seq, expiresAt])
}

const announcementSchema = z.tuple([
  z.string().max(128),
  z.number().int().nonnegative(),
  z.number().int().nonnegative(),
])

/**
 * Whether it is timely is another question: a peer with a wrong clock passes on what has expired in good
 * faith, but nobody passes on what is forged.
 *
 * @throws `protocol_violation` when it is malformed or forged
 */
export function verifyAnnouncement(verifier: Verifier, bytes: Uint8Array): Announcement {
  const { payload, signature } = unseal(bytes, MAX_ANNOUNCEMENT_BYTES)
  const parsed = announcementSchema.safeParse(decodeCbor(payload))
  if (!parsed.success) throw invalid('announcement', 'has an unknown form')
  const [peerId, seq, expiresAt] = parsed.data
  if (!isSignedBy(verifier, peerId, ANNOUNCE_DOMAIN, payload, signature)) {
    throw invalid('announcement', 'is not signed by the device that it names')
  }
  return { peerId, seq, expiresAt }
}

/** What the asking side has already: peer id → seq. */
export type KnownAdverts = ReadonlyMap<string, number>

/** Which adverts are asked for; all when empty. */
export interface Selection {
  /** Those of these peers. */
  peerIds?: readonly string[] | undefined
  /** Those that offer the function of this name. */
  offering?: string | undefined
}

export function encodeQuestion(known: KnownAdverts, { peerIds, offering }: Selection = {}): Uint8Array {
  const entries = [...known].slice(0, MAX_KNOWN_ENTRIES)
  const only = peerIds === undefined ? null : peerIds.slice(0, MAX_KNOWN_ENTRIES)
  return encodeCbor(offering === undefined ? [entries, only] : [entries, only, offering])
}

const questionSchema = z.tuple([
  z.array(z.tuple([z.string().max(128), z.number().int().nonnegative()])).max(MAX_KNOWN_ENTRIES),
  z.array(z.string().max(128)).max(MAX_KNOWN_ENTRIES).nullable(),
  z.string().max(MAX_FUNCTION_NAME_CHARS).optional(),
])

interface DecodedQuestion {
  known: KnownAdverts
  only?: ReadonlySet<string>
  offering?: string
}

/** @throws `protocol_violation` */
export function decodeQuestion(bytes: Uint8Array): DecodedQuestion {
  const parsed = questionSchema.safeParse(decodeCbor(bytes))
  if (!parsed.success) throw invalid('question', 'has an unknown form')
  const [entries, only, offering] = parsed.data
  return {
    known: new Map(entries),
    ...(only === null ? {} : { only: new Set(only) }),
    ...(offering === undefined ? {} : { offering }),
  }
}

function seal(signer: Signer, domain: string, content: unknown): Uint8Array {
  const payload = encodeCbor(content)
  return encodeCbor([payload, signWithDomain(signer, domain, payload)])
}

function isSignedBy(
  verifier: Verifier,
  peerId: string,
  domain: string,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean {
  let publicKey: Uint8Array
  try {
    publicKey = verifier.publicKeyOf(peerId)
  } catch {
    return false
  }
  return verifySignature(publicKey, domain, payload, signature)
}

function unseal(bytes: Uint8Array, maxBytes: number): { payload: Uint8Array; signature: Uint8Array } {
  if (bytes.length > maxBytes) throw invalid('message', 'is too long')
  const parts = decodeCbor(bytes)
  const [payload, signature] = Array.isArray(parts) ? (parts as unknown[]) : []
  if (!(payload instanceof Uint8Array) || !(signature instanceof Uint8Array)) {
    throw invalid('message', 'is not a signed one')
  }
  return { payload, signature }
}

function checkTime(what: string, now: number, expiresAt: number): void {
  if (expiresAt < now - CLOCK_TOLERANCE_MS) throw invalid(what, 'has expired')
  if (!isTimely(now, expiresAt)) throw invalid(what, 'claims to be valid for too long')
}

/** True for what has not expired, and does not claim to be valid for too long. Epoch ms. */
export function isTimely(now: number, expiresAt: number): boolean {
  const isOver = expiresAt < now - CLOCK_TOLERANCE_MS
  return !isOver && expiresAt <= now + MAX_ADVERT_VALIDITY_MS + CLOCK_TOLERANCE_MS
}

function invalid(what: string, why: string): EasyNetError {
  return new EasyNetError(
    'protocol_violation',
    `An ${what === 'question' || what === 'message' ? 'incoming ' : ''}${what} ${why}.`,
  )
}
