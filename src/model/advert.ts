import { z } from 'zod'
import { advertisedFunctionSchema, MAX_FUNCTIONS } from './function.ts'

/** Longest name of a device, in characters. */
export const MAX_NAME_CHARS = 64
export const MAX_ADDRESSES = 16
/** An advert is refused when it claims to be valid for longer. */
export const MAX_ADVERT_VALIDITY_MS = 24 * 3_600_000

/**
 * The clocks of two devices may differ by this much less the hour that an advert is valid, without harm: the
 * clock of a device that has lost its battery, or was set in the wrong time zone.
 */
export const CLOCK_TOLERANCE_MS = 2 * 3_600_000

/**
 * A name that is safe to print, and looks different from every other: no control characters, no slash (it
 * separates peer and function), and of all that is blank only single spaces between other characters.
 */
const DEVICE_NAME = /^(?:[^\p{C}\p{Z}\u115f\u1160\u2800\u3164\uffa0/@]| (?! |$))+$/u
export const deviceNameSchema = z
  .string()
  .min(1)
  .max(MAX_NAME_CHARS)
  .regex(DEVICE_NAME, 'a name has no control characters, no / and no @, and single spaces inside only')
  .refine((name) => !name.startsWith(' '))

/** What a device says of itself and its functions, signed with its key. A claim, never a score. */
export const advertSchema = z.object({
  peerId: z.string().max(128),
  name: deviceNameSchema,
  /** Software and version, such as `easynet/0.1.0`. */
  software: z.string().max(64),
  /** Grows with every change; the highest one counts. */
  seq: z.number().int().nonnegative(),
  /** Epoch ms. */
  issuedAt: z.number().int().nonnegative(),
  /** Epoch ms. */
  expiresAt: z.number().int().nonnegative(),
  addresses: z.array(z.string().max(256)).max(MAX_ADDRESSES),
  functions: z.array(advertisedFunctionSchema).max(MAX_FUNCTIONS),
})
export type Advert = z.output<typeof advertSchema>

/** An advert with the bytes that were signed, so that it can be passed on unchanged. */
export interface SignedAdvert {
  advert: Advert
  bytes: Uint8Array
}

/** The short gossiped news that a newer advert exists. */
export interface Announcement {
  peerId: string
  seq: number
  /** Epoch ms. */
  expiresAt: number
}
