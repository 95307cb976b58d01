import { coversPattern } from '../model/function-pattern.ts'
import { type Attenuation, type Role, ROLES } from './fields.ts'
import type { Lifetime } from './lifetime.ts'
import type { Refusal } from './refusals.ts'

/** What somebody has, and may therefore give. */
export type Authority = Attenuation & Lifetime

/** What a root key has. */
export const ROOT_AUTHORITY: Authority = {
  role: 'owner',
  can: ['*'],
  credit: Number.MAX_SAFE_INTEGER,
  nbf: 0,
  exp: Number.MAX_SAFE_INTEGER,
}

const MAY_ADMIT: Record<Role, readonly Role[]> = {
  owner: ['owner', 'member', 'guest'],
  member: ['guest'],
  guest: [],
}

/** Why `given` is more than its issuer may give; undefined when it is not. */
export function checkNarrowing(issuer: Authority, given: Authority): Refusal | undefined {
  if (ROLES.indexOf(given.role) > ROLES.indexOf(issuer.role)) return 'role_widened'
  if (!MAY_ADMIT[issuer.role].includes(given.role)) return 'may_not_admit'
  const covered = given.can.every((inner) => issuer.can.some((outer) => coversPattern(outer, inner)))
  if (!covered) return 'caps_widened'
  if (given.credit > issuer.credit) return 'credit_widened'
  if (given.nbf < issuer.nbf || given.exp > issuer.exp) return 'time_widened'
  return undefined
}
