import { z } from 'zod'
import { equalBytes } from '../util/bytes.ts'
import type { Member } from './chain.ts'
import { bytesOf, publicKey } from './fields.ts'
import type { Invite } from './invite.ts'
import { LIFETIME_MS } from './lifetime.ts'
import { admitMember } from './member-certificate.ts'
import { type Checked, refused } from './refusals.ts'
import { isSignedBy, type Kind, readSealed, type Sealed, seal } from './sealed.ts'
import type { SigningKey } from './signing-key.ts'

const schema = z.strictObject({
  /** The invite's one-time key. */
  inv: publicKey,
  mesh: bytesOf(32),
  /** The newcomer's owner key. */
  aud: publicKey,
  /** The newcomer's device key. */
  dev: publicKey,
  /** The inviter's device key. */
  via: publicKey,
})
const REDEMPTION: Kind<z.output<typeof schema>> = { domain: 'easynet/redemption/1', maxBytes: 1_024, schema }
export type Redemption = Sealed<z.output<typeof schema>>

export interface RedeemInit {
  /** From the link. */
  oneTime: SigningKey
  meshId: Uint8Array
  /** Device key in the link. */
  via: Uint8Array
  /** The newcomer's owner key. */
  owner: SigningKey
  /** The newcomer's device key. */
  device: Uint8Array
}

/** The newcomer's request: signed with the link's key and with its own owner key. */
export function redeem({ oneTime, meshId, via, owner, device }: RedeemInit): Uint8Array {
  const content = { inv: oneTime.publicKey, mesh: meshId, aud: owner.publicKey, dev: device, via }
  return seal(REDEMPTION, content, oneTime, owner)
}

export interface RedemptionCheck {
  invite: Invite
  /** Our own device key. */
  via: Uint8Array
  /** The device key that the connection proved. */
  device: Uint8Array
}

/** What a newcomer sent, when link and owner key are both proved and meant for this device. */
export function readRedemption(
  bytes: Uint8Array,
  { invite, via, device }: RedemptionCheck,
): Checked<Redemption> {
  const read = readSealed(REDEMPTION, bytes, 2)
  if (!read.ok) return read
  const { inv, mesh, aud, dev, via: meant } = read.value.content
  if (!equalBytes(mesh, invite.content.mesh)) return refused('wrong_mesh')
  if (!equalBytes(inv, invite.content.key)) return refused('wrong_proof')
  if (!equalBytes(meant, via) || !equalBytes(dev, device)) return refused('wrong_subject')
  const signed = isSignedBy(REDEMPTION, read.value, inv, 0) && isSignedBy(REDEMPTION, read.value, aud, 1)
  return signed ? read : refused('bad_signature')
}

/** The invite's key that a redemption names, to look the invite up; nothing is proved by it. */
export function inviteKeyOf(bytes: Uint8Array): Uint8Array | undefined {
  const read = readSealed(REDEMPTION, bytes, 2)
  return read.ok ? read.value.content.inv : undefined
}

export interface CountersignInit {
  /** What the inviter is in the mesh. */
  inviter: Member
  invite: Invite
  redemption: Redemption
  /** Epoch ms. */
  now: number
}

/** The inviter's answer: the newcomer's member certificate, which names the redemption. */
export function countersign(
  key: SigningKey,
  { inviter, invite, redemption, now }: CountersignInit,
): Uint8Array {
  const { att, ttl, mesh } = invite.content
  return admitMember(key, {
    meshId: mesh,
    owner: redemption.content.aud,
    attenuation: att,
    now,
    expiresAt: Math.min(now + Math.min(ttl * 1_000, LIFETIME_MS[att.role]), inviter.expiresAt),
    nonce: redemption.id.subarray(0, 16),
    ...(inviter.certificate === undefined ? {} : { proof: inviter.certificate }),
  })
}
