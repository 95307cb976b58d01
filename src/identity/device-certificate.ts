import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { equalBytes } from '../util/bytes.ts'
import { bytesOf, facts, publicKey, uint } from './fields.ts'
import { checkLifetime, lifetimeUntil } from './lifetime.ts'
import { type Checked, checked, refused } from './refusals.ts'
import type { Revocations } from './revocations.ts'
import { isSignedBy, type Kind, readSealed, seal, type Signer } from './sealed.ts'

const schema = z.strictObject({
  iss: publicKey,
  aud: publicKey,
  nbf: uint,
  exp: uint,
  nnc: bytesOf(16),
  fct: facts,
})
const DEVICE: Kind<z.output<typeof schema>> = { domain: 'easynet/device/1', maxBytes: 1_024, schema }

export interface DeviceCertificateInit {
  /** Public key of the device. */
  device: Uint8Array
  /** Epoch ms. */
  expiresAt: number
  /** Epoch ms. */
  now: number
  /** 16 bytes; only for reproducible tests. @default random */
  nonce?: Uint8Array
}

/** The owner says: this device acts for me. */
export function certifyDevice(
  owner: Signer & { publicKey: Uint8Array },
  { device, expiresAt, now, nonce }: DeviceCertificateInit,
): Uint8Array {
  const nnc = nonce ?? new Uint8Array(randomBytes(16))
  return seal(DEVICE, { iss: owner.publicKey, aud: device, ...lifetimeUntil(expiresAt, now), nnc }, owner)
}

/** For whom a device acts. */
export interface DeviceOwner {
  owner: Uint8Array
  /** Epoch ms, exclusive. */
  expiresAt: number
  /** Epoch ms; from then on it should be renewed. */
  renewAt: number
}

export interface DeviceCheck {
  /** The key that the connection proved. */
  device: Uint8Array
  /** Epoch ms. */
  now: number
  /** Of the mesh in question. */
  revocations: Pick<Revocations, 'has'>
}

/** Whose device it is, when the certificate is good for this device now. */
export function verifyDevice(
  bytes: Uint8Array,
  { device, now, revocations }: DeviceCheck,
): Checked<DeviceOwner> {
  const read = readSealed(DEVICE, bytes)
  if (!read.ok) return read
  const { iss, aud, nbf, exp } = read.value.content
  if (!equalBytes(aud, device)) return refused('wrong_subject')
  if (equalBytes(iss, aud)) return refused('cycle')
  const time = checkLifetime({ nbf, exp }, now)
  if (time !== undefined) return refused(time)
  if ([iss, aud, read.value.id].some((id) => revocations.has(id))) return refused('revoked')
  if (!isSignedBy(DEVICE, read.value, iss)) return refused('bad_signature')
  return checked({ owner: iss, expiresAt: exp * 1_000, renewAt: ((nbf + exp) / 2) * 1_000 })
}
