import { z } from 'zod'
import { equalBytes } from '../util/bytes.ts'
import { bytesOf, publicKey, uint } from './fields.ts'
import { type Checked, checked, refused } from './refusals.ts'
import type { Roots } from './rotation.ts'
import { isSignedBy, type Kind, readSealed, seal, type Signer } from './sealed.ts'

export const MAX_REVOKED = 4_096
const MAX_REVOCATIONS_BYTES = 147_456

const schema = z.strictObject({
  iss: publicKey,
  mesh: bytesOf(32),
  ver: uint.min(1),
  rev: z.array(bytesOf(32)).max(MAX_REVOKED).refine(isAscending),
})
const REVOCATIONS: Kind<z.output<typeof schema>> = {
  domain: 'easynet/revocations/1',
  maxBytes: MAX_REVOCATIONS_BYTES,
  schema,
}

/** All that a mesh has revoked, as one of its root keys said it. */
export interface Revocations {
  version: number
  id: Uint8Array
  bytes: Uint8Array
  /** Owner keys, device keys and ids of certificates. */
  entries: readonly Uint8Array[]
  has(keyOrId: Uint8Array): boolean
}

/** Before anything was revoked. */
export const NOTHING_REVOKED: Pick<Revocations, 'has'> = { has: () => false }

export interface RevocationsInit {
  meshId: Uint8Array
  version: number
  /** 32 bytes each, in any order. */
  entries: readonly Uint8Array[]
}

/** @throws {TypeError} for more than 4,096 entries: leave out what is older than 31 days */
export function createRevocations(
  root: Signer & { publicKey: Uint8Array },
  { meshId, version, entries }: RevocationsInit,
): Uint8Array {
  const rev = [...new Map(entries.map((entry) => [hex(entry), entry])).values()].sort((a, b) =>
    Buffer.compare(a, b),
  )
  if (rev.length > MAX_REVOKED) throw new TypeError(`At most ${MAX_REVOKED} entries can be revoked.`)
  return seal(REVOCATIONS, { iss: root.publicKey, mesh: meshId, ver: version, rev }, root)
}

export function readRevocations(roots: Roots, bytes: Uint8Array): Checked<Revocations> {
  const read = readSealed(REVOCATIONS, bytes)
  if (!read.ok) return read
  const { iss, mesh, ver, rev } = read.value.content
  if (!equalBytes(mesh, roots.meshId)) return refused('wrong_mesh')
  if (!roots.keys.some((key) => equalBytes(key, iss))) return refused('unknown_root')
  if (!isSignedBy(REVOCATIONS, read.value, iss)) return refused('bad_signature')
  const revoked = new Set(rev.map(hex))
  return checked({
    version: ver,
    id: read.value.id,
    bytes,
    entries: rev,
    has: (keyOrId) => revoked.has(hex(keyOrId)),
  })
}

/** True when `found` takes the place of `known`: a higher version, or the larger id of the same one. */
export function supersedes(found: Revocations, known: Revocations | undefined): boolean {
  if (known === undefined || found.version !== known.version) return found.version > (known?.version ?? 0)
  return Buffer.compare(found.id, known.id) > 0
}

function isAscending(entries: readonly Uint8Array[]): boolean {
  return entries.every((entry, index) => {
    const before = entries[index - 1]
    return before === undefined || Buffer.compare(before, entry) < 0
  })
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
