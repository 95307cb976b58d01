import { z } from 'zod'
import { FUNCTION_PATTERN } from '../model/function-pattern.ts'
import { isUsablePublicKey } from './public-key.ts'

// The parts that certificates are made of, with the limits of docs/spec/certificates.md.

export const MAX_PATTERNS = 16
/** What `readSealed` looks for to tell a wrong key from a wrong form. */
export const BAD_KEY = 'bad_key'

/** Bytes of exactly this length. */
export function bytesOf(length: number): z.ZodType<Uint8Array> {
  return z.instanceof(Uint8Array).refine((bytes) => bytes.length === length)
}

export const publicKey: z.ZodType<Uint8Array> = z
  .instanceof(Uint8Array)
  .refine((key) => isUsablePublicKey(key), { message: BAD_KEY })

/** Unsigned and below 2^53, so that it is exact as a number. */
export const uint = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)

export const ROLES = ['guest', 'member', 'owner'] as const
/** From the least to the most. */
export type Role = (typeof ROLES)[number]

/** What is given: role, functions that may be called, credit in microcredits. */
export const attenuation = z.strictObject({
  role: z.enum(ROLES),
  can: z.array(z.string().regex(FUNCTION_PATTERN)).max(MAX_PATTERNS),
  credit: uint,
})
export type Attenuation = z.output<typeof attenuation>

/** Facts without authority. */
export const facts = z.record(z.string(), z.unknown()).optional()
