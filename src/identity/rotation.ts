import { z } from 'zod'
import { equalBytes } from '../util/bytes.ts'
import { bytesOf, publicKey, uint } from './fields.ts'
import { type Genesis, hashOfNextKey } from './genesis.ts'
import { type Checked, checked, refused } from './refusals.ts'
import { isSignedBy, type Kind, readSealed, seal, type Signer } from './sealed.ts'

const MAX_ROTATIONS = 64

const schema = z.strictObject({
  iss: publicKey,
  mesh: bytesOf(32),
  slot: uint,
  seq: uint,
  nxt: bytesOf(32),
  old: uint,
})
const ROTATION: Kind<z.output<typeof schema>> = { domain: 'easynet/rotation/1', maxBytes: 1_024, schema }

/** The root keys of a mesh after its rotations. */
export interface Roots {
  meshId: Uint8Array
  /** In the order of the genesis. */
  keys: readonly Uint8Array[]
  /** Rotated out; their certificates count until then, in seconds. */
  former: readonly { key: Uint8Array; until: number }[]
}

export interface RotationInit {
  meshId: Uint8Array
  /** Which root key of the genesis is replaced. */
  slot: number
  /** 1 for the first rotation of the mesh. */
  seq: number
  /** The key that was announced before; it signs. */
  key: Signer & { publicKey: Uint8Array }
  /** Public key that will follow it. */
  next: Uint8Array
  /** Until when certificates of the old key count, epoch ms; 0 when it was stolen. */
  oldUntil: number
}

export function createRotation({ meshId, slot, seq, key, next, oldUntil }: RotationInit): Uint8Array {
  const content = { iss: key.publicKey, mesh: meshId, slot, seq, nxt: hashOfNextKey(next) }
  return seal(ROTATION, { ...content, old: Math.floor(oldUntil / 1_000) }, key)
}

/** The root keys that follow from a genesis and all rotations since, in their order. */
export function resolveRoots(genesis: Genesis, rotations: readonly Uint8Array[]): Checked<Roots> {
  if (rotations.length > MAX_ROTATIONS) return refused('chain_too_long')
  const slots = genesis.own.map((slot) => ({ ...slot }))
  const former: { key: Uint8Array; until: number }[] = []
  for (const [index, bytes] of rotations.entries()) {
    const read = readSealed(ROTATION, bytes)
    if (!read.ok) return read
    const { iss, mesh, slot, seq, nxt, old } = read.value.content
    if (!equalBytes(mesh, genesis.meshId)) return refused('wrong_mesh')
    const current = slots[slot]
    if (seq !== index + 1 || current === undefined) return refused('wrong_proof')
    if (!equalBytes(hashOfNextKey(iss), current.nxt)) return refused('wrong_issuer')
    if (!isSignedBy(ROTATION, read.value, iss)) return refused('bad_signature')
    former.push({ key: current.key, until: old })
    slots[slot] = { key: iss, nxt }
  }
  return checked({ meshId: genesis.meshId, keys: slots.map(({ key }) => key), former })
}
