/** Why a certificate or a chain is not believed; each is explained in docs/spec/certificates.md. */
export const REFUSALS = [
  // form
  'too_large',
  'malformed',
  'not_canonical',
  'unknown_field',
  'bad_key',
  'bad_signature',
  // who and where
  'wrong_mesh',
  'wrong_subject',
  'wrong_issuer',
  'wrong_proof',
  'unknown_root',
  'cycle',
  'chain_too_long',
  // narrowing
  'may_not_admit',
  'role_widened',
  'caps_widened',
  'credit_widened',
  'time_widened',
  // time
  'lifetime_too_long',
  'not_yet_valid',
  'expired',
  'revoked',
] as const
export type Refusal = (typeof REFUSALS)[number]

export function isRefusal(text: string): text is Refusal {
  return (REFUSALS as readonly string[]).includes(text)
}

export interface Refused {
  ok: false
  reason: Refusal
}
export type Checked<T> = { ok: true; value: T } | Refused

export function refused(reason: Refusal): Refused {
  return { ok: false, reason }
}

export function checked<T>(value: T): Checked<T> {
  return { ok: true, value }
}
