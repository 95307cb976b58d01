import type { Role } from './fields.ts'
import type { Refusal } from './refusals.ts'

/** No certificate may be valid for longer: so long a revocation has to be remembered. */
const MAX_LIFETIME_S = 31 * 86_400
/** Issuers date certificates back by so much, for devices whose clock is slow. */
const BACKDATE_S = 3_600
/** Longest lifetimes that issuers give. */
export const LIFETIME_MS: Record<Role | 'device', number> = {
  owner: 30 * 86_400_000,
  member: 30 * 86_400_000,
  guest: 7 * 86_400_000,
  device: 30 * 86_400_000,
}

export interface Lifetime {
  /** Valid from, in seconds. */
  nbf: number
  /** No longer valid at, in seconds. */
  exp: number
}

/** From an hour ago until `expiresAt` (epoch ms, rounded down to the second). */
export function lifetimeUntil(expiresAt: number, now: number): Lifetime {
  return { nbf: Math.max(0, Math.floor(now / 1_000) - BACKDATE_S), exp: Math.floor(expiresAt / 1_000) }
}

/** Exact: there is no tolerance here. @param now - epoch ms */
export function checkLifetime({ nbf, exp }: Lifetime, now: number): Refusal | undefined {
  if (exp - nbf > MAX_LIFETIME_S) return 'lifetime_too_long'
  if (now < nbf * 1_000) return 'not_yet_valid'
  return now >= exp * 1_000 ? 'expired' : undefined
}
