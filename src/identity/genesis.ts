import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { MAX_NAME_CHARS } from '../model/advert.ts'
import { encodeCbor } from '../util/cbor.ts'
import { bytesOf, publicKey } from './fields.ts'
import { type Checked, checked, refused } from './refusals.ts'
import { hashWithDomain, readContent } from './sealed.ts'

const GENESIS_DOMAIN = 'easynet/genesis/1'
const NEXT_KEY_DOMAIN = 'easynet/next-key/1'
const MAX_GENESIS_BYTES = 1_024
const MAX_ROOT_KEYS = 8

/** A name that is safe to print. */
export const meshNameSchema = z
  .string()
  .min(1)
  .max(MAX_NAME_CHARS)
  .regex(/^[^\p{C}/@]+$/u, 'a name has no control characters, no / and no @')

const schema = z.strictObject({
  name: meshNameSchema,
  /** Root keys, each with the hash of its successor. */
  own: z
    .array(z.strictObject({ key: publicKey, nxt: bytesOf(32) }))
    .min(1)
    .max(MAX_ROOT_KEYS),
  pol: z.strictObject({ open: z.boolean() }),
  nnc: bytesOf(16),
})

/** The beginning of a mesh: it never changes, and its hash is the mesh's id. */
export interface Genesis extends z.output<typeof schema> {
  /** 32 bytes. */
  meshId: Uint8Array
  bytes: Uint8Array
}

export interface GenesisInit {
  name: string
  /** The founders' keys and those that will follow them. */
  owners: readonly { key: Uint8Array; next: Uint8Array }[]
  /** Anybody is in it, as a stranger. @default false */
  open?: boolean
  /** 16 bytes; only for reproducible tests. @default random */
  nonce?: Uint8Array
}

export function createGenesis(init: GenesisInit): Genesis {
  const own = init.owners.map(({ key, next }) => ({ key, nxt: hashOfNextKey(next) }))
  const nnc = init.nonce ?? new Uint8Array(randomBytes(16))
  const read = readGenesis(encodeCbor({ name: init.name, own, pol: { open: init.open ?? false }, nnc }))
  if (!read.ok) throw new TypeError(`A genesis with these values is refused: ${read.reason}`)
  return read.value
}

export function readGenesis(bytes: Uint8Array): Checked<Genesis> {
  if (bytes.length > MAX_GENESIS_BYTES) return refused('too_large')
  const read = readContent(schema, bytes)
  if (!read.ok) return read
  return checked({ ...read.value, meshId: hashWithDomain(GENESIS_DOMAIN, bytes), bytes })
}

/** What a genesis or rotation says beforehand of a key that comes later. */
export function hashOfNextKey(key: Uint8Array): Uint8Array {
  return hashWithDomain(NEXT_KEY_DOMAIN, key)
}
