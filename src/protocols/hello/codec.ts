import { z } from 'zod'
import { EasyNetError } from '../../errors/error.ts'
import { deviceNameSchema } from '../../model/advert.ts'
import { decodeCbor, encodeCbor } from '../../util/cbor.ts'

const helloSchema = z.object({
  name: deviceNameSchema,
  /** Software and version, such as `easynet/0.1.0`. */
  software: z.string().max(64),
  /** Optional abilities of this version; unknown ones are ignored. */
  features: z.array(z.string().max(64)).max(64),
  /** The sender's wall clock, epoch ms. Absent in older versions. */
  now: z.number().int().nonnegative().optional(),
})

/** What two devices tell each other when they have connected. */
export type Hello = z.output<typeof helloSchema>

export function encodeHello(hello: Hello): Uint8Array {
  return encodeCbor(hello)
}

/** @throws `protocol_violation` */
export function decodeHello(bytes: Uint8Array): Hello {
  const parsed = helloSchema.safeParse(decodeCbor(bytes))
  if (parsed.success) return parsed.data
  throw new EasyNetError('protocol_violation', 'The other device introduced itself in an unknown form.')
}
