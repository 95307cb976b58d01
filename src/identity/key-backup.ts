import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { z } from 'zod'
import { EasyNetError } from '../errors/error.ts'
import { decodeCbor, encodeCbor } from '../util/cbor.ts'
import { bytesOf } from './fields.ts'
import type { OwnerKey } from './owner-key.ts'
import { signingKeyFromSeed } from './signing-key.ts'

// The form is in docs/spec/certificates.md. The scrypt parameters stand in the header, which nothing
// vouches for before the key is computed: so they are limited first.

const MAGIC = Buffer.from('ENOK\x01', 'latin1')
const HEADER_BYTES = MAGIC.length + 3 + 16 + 12
const TAG_BYTES = 16
const MAX_BACKUP_CHARS = 65_536
const BLOCK = /-----BEGIN EASYNET OWNER KEY-----([A-Za-z0-9+/=\s]+)-----END EASYNET OWNER KEY-----/
const LOG2_N = { least: 14, most: 18 }
const MAX_R = 8
const MAX_P = 4

export interface ScryptCost {
  /** Exponent of N. @default 17, with r 8 that is 128 MiB */
  log2N: number
  r: number
  p: number
}
const DEFAULT_COST: ScryptCost = { log2N: 17, r: 8, p: 1 }

const contentSchema = z.strictObject({
  key: bytesOf(32),
  nxt: bytesOf(32),
  /** The meshes whose root key it is. */
  gen: z.array(z.instanceof(Uint8Array)).max(32),
})

/** An owner key as it is carried to another device. */
export interface Backup {
  owner: OwnerKey
  /** Genesis of each mesh that it has founded. */
  genesis: readonly Uint8Array[]
}

/** Encrypted text. Takes about half a second: that is what a guess costs a thief. */
export function exportBackup(
  { owner, genesis }: Backup,
  passphrase: string,
  cost: ScryptCost = DEFAULT_COST,
): string {
  const header = Buffer.concat([MAGIC, Buffer.from([cost.log2N, cost.r, cost.p]), randomBytes(28)])
  const content = encodeCbor({ key: owner.key.seed, nxt: owner.next.seed, gen: genesis })
  const cipher = createCipheriv('aes-256-gcm', deriveKey(header, passphrase), header.subarray(-12))
  cipher.setAAD(header)
  const sealed = Buffer.concat([header, cipher.update(content), cipher.final(), cipher.getAuthTag()])
  const lines = sealed.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN EASYNET OWNER KEY-----', ...lines, '-----END EASYNET OWNER KEY-----', ''].join('\n')
}

/** @throws {@link EasyNetError} `invalid_request` when the passphrase is wrong or the text is damaged */
export function importBackup(text: string, passphrase: string): Backup {
  const base64 = text.length > MAX_BACKUP_CHARS ? undefined : BLOCK.exec(text)?.[1]
  const sealed = Buffer.from(base64 ?? '', 'base64')
  if (sealed.length < HEADER_BYTES + TAG_BYTES || !sealed.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new EasyNetError('invalid_request', 'This is no exported owner key.', {
      hint: 'The file begins with -----BEGIN EASYNET OWNER KEY-----; make one with: easynet key export',
    })
  }
  const header = sealed.subarray(0, HEADER_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', deriveKey(header, passphrase), header.subarray(-12))
  decipher.setAAD(header)
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const parsed = contentSchema.safeParse(decrypt(decipher, sealed.subarray(HEADER_BYTES, -TAG_BYTES)))
  if (!parsed.success) throw wrongPassphrase()
  const { key, nxt, gen } = parsed.data
  return { owner: { key: signingKeyFromSeed(key), next: signingKeyFromSeed(nxt) }, genesis: gen }
}

function decrypt(decipher: ReturnType<typeof createDecipheriv>, encrypted: Uint8Array): unknown {
  try {
    return decodeCbor(Buffer.concat([decipher.update(encrypted), decipher.final()]))
  } catch (cause) {
    throw wrongPassphrase(cause)
  }
}

function deriveKey(header: Buffer, passphrase: string): Buffer {
  const [log2N = 0, r = 0, p = 0] = header.subarray(MAGIC.length)
  if (log2N < LOG2_N.least || log2N > LOG2_N.most || r < 1 || r > MAX_R || p < 1 || p > MAX_P) {
    throw new EasyNetError(
      'invalid_request',
      `The exported key asks for scrypt with N = 2^${log2N}, r = ${r}, p = ${p}, which is outside the limits.`,
      { details: { log2N: LOG2_N, maxR: MAX_R, maxP: MAX_P } },
    )
  }
  const salt = header.subarray(MAGIC.length + 3, MAGIC.length + 19)
  // Node refuses what needs more than `maxmem`; scrypt needs 128 N r bytes and a little.
  const maxmem = 128 * 2 ** log2N * r + 1_048_576
  return scryptSync(passphrase.normalize('NFC'), salt, 32, { N: 2 ** log2N, r, p, maxmem })
}

function wrongPassphrase(cause?: unknown): EasyNetError {
  return new EasyNetError('invalid_request', 'The passphrase is wrong, or the exported key is damaged.', {
    cause,
  })
}
