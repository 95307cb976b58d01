import { z } from 'zod'
import { equalBytes } from '../util/bytes.ts'
import type { Member } from './chain.ts'
import { type Attenuation, attenuation, bytesOf, publicKey, uint } from './fields.ts'
import { LIFETIME_MS } from './lifetime.ts'
import { checkNarrowing } from './narrowing.ts'
import { type Checked, refused } from './refusals.ts'
import {
  hashWithDomain,
  isSignedBy,
  type Kind,
  readSealed,
  type Sealed,
  seal,
  type Signer,
} from './sealed.ts'
import { type SigningKey, signingKeyFromSeed } from './signing-key.ts'

const INVITE_DOMAIN = 'easynet/invite/1'
export const INVITE_SECRET_BYTES = 16
export const MAX_INVITE_USES = 100

const schema = z.strictObject({
  iss: publicKey,
  mesh: bytesOf(32),
  /** Public half of the one-time key in the link. */
  key: publicKey,
  att: attenuation,
  uses: uint.min(1).max(MAX_INVITE_USES),
  exp: uint,
  /** Lifetime of the memberships that come of it, in seconds. */
  ttl: uint.min(1).max(LIFETIME_MS.member / 1_000),
})
const INVITE: Kind<z.output<typeof schema>> = { domain: INVITE_DOMAIN, maxBytes: 2_048, schema }
export type Invite = Sealed<z.output<typeof schema>>

/** The one-time key of a link, from its 16 secret bytes. */
export function oneTimeKey(secret: Uint8Array): SigningKey {
  return signingKeyFromSeed(hashWithDomain(INVITE_DOMAIN, secret))
}

export interface InviteInit {
  meshId: Uint8Array
  /** Public half of the one-time key. */
  key: Uint8Array
  attenuation: Attenuation
  uses: number
  /** Epoch ms, of the invite. */
  expiresAt: number
  /** Of the memberships that come of it. */
  membershipMs: number
}

export function createInvite(inviter: Signer & { publicKey: Uint8Array }, init: InviteInit): Uint8Array {
  return seal(
    INVITE,
    {
      iss: inviter.publicKey,
      mesh: init.meshId,
      key: init.key,
      att: init.attenuation,
      uses: init.uses,
      exp: Math.floor(init.expiresAt / 1_000),
      ttl: Math.floor(init.membershipMs / 1_000),
    },
    inviter,
  )
}

/** An invite that this inviter may give, now. @param now - epoch ms */
export function readInvite(inviter: Member, bytes: Uint8Array, now: number): Checked<Invite> {
  const read = readSealed(INVITE, bytes)
  if (!read.ok) return read
  const { iss, mesh, att, exp } = read.value.content
  if (!equalBytes(mesh, inviter.meshId)) return refused('wrong_mesh')
  if (!equalBytes(iss, inviter.owner)) return refused('wrong_issuer')
  const has = {
    role: inviter.role,
    can: [...inviter.can],
    credit: Number(inviter.creditMicrocredits),
    nbf: 0,
    exp: 0,
  }
  const why = checkNarrowing(has, { ...att, nbf: 0, exp: 0 })
  if (why !== undefined) return refused(why)
  if (now >= exp * 1_000) return refused('expired')
  return isSignedBy(INVITE, read.value, iss) ? read : refused('bad_signature')
}
