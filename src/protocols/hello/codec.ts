import { z } from 'zod'
import { EasyNetError } from '../../errors/error.ts'
import { bytesOf } from '../../identity/fields.ts'
import { deviceNameSchema } from '../../model/advert.ts'
import { decodeCbor, encodeCbor } from '../../util/cbor.ts'
import { MAX_MESHES } from './constants.ts'

// Unknown keys are ignored everywhere: a newer version may say more.

const helloSchema = z.object({
  name: deviceNameSchema,
  /** Software and version, such as `easynet/0.1.0`. */
  software: z.string().max(64),
  /** Optional abilities of this version; unknown ones are ignored. */
  features: z.array(z.string().max(64)).max(64),
  /** 16 random bytes; a version without meshes has none. */
  nonce: bytesOf(16).optional(),
  /** The answerer's: a tag for each of its meshes. */
  tags: z.array(bytesOf(32)).max(MAX_MESHES).optional(),
})

/** What two devices tell each other when they have connected. */
export type Hello = z.output<typeof helloSchema>

export function encodeHello({ nonce, tags, ...hello }: Hello): Uint8Array {
  return encodeCbor({
    ...hello,
    ...(nonce === undefined ? {} : { nonce }),
    ...(tags === undefined ? {} : { tags }),
  })
}

/** @throws `protocol_violation` */
export function decodeHello(bytes: Uint8Array): Hello {
  const parsed = helloSchema.safeParse(decodeCbor(bytes))
  if (parsed.success) return parsed.data
  throw new EasyNetError('protocol_violation', 'The other device introduced itself in an unknown form.')
}

const certificate: z.ZodType<Uint8Array> = z.instanceof(Uint8Array)
const proofSchema = z.object({
  /** Device certificate; empty when no mesh is shared. */
  device: certificate,
  meshes: z.array(z.object({ tag: bytesOf(32), chain: z.array(certificate).max(64) })).max(MAX_MESHES),
  /** Why the other side's proof was not taken. */
  refused: z.string().max(64).optional(),
})

/** What a device shows for each mesh that both belong to. */
export type Proof = z.output<typeof proofSchema>

export function encodeProof({ device, meshes, refused }: Proof): Uint8Array {
  return encodeCbor({ device, meshes, ...(refused === undefined ? {} : { refused }) })
}

/** @throws `protocol_violation` */
export function decodeProof(bytes: Uint8Array): Proof {
  const parsed = proofSchema.safeParse(decodeCbor(bytes))
  if (parsed.success) return parsed.data
  throw new EasyNetError('protocol_violation', 'The other device proved its membership in an unknown form.')
}
