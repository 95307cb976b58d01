import type { MeshRecord, MeshStore } from '../storage/mesh-store.ts'
import { equalBytes } from '../util/bytes.ts'
import type { Clock } from '../util/clock.ts'
import { type Member, verifyChain } from './chain.ts'
import { certifyDevice, verifyDevice } from './device-certificate.ts'
import { createGenesis, type Genesis, readGenesis } from './genesis.ts'
import { LIFETIME_MS } from './lifetime.ts'
import type { OwnerKey } from './owner-key.ts'
import { type Checked, checked, refused } from './refusals.ts'
import { NOTHING_REVOKED, readRevocations, type Revocations } from './revocations.ts'
import { resolveRoots, type Roots } from './rotation.ts'

/** A mesh that this device belongs to. */
export interface Membership {
  meshId: Uint8Array
  /** What it is called here. */
  name: string
  genesis: Genesis
  roots: Roots
  /** Our certificates, root first. */
  chain: readonly Uint8Array[]
  revocations: Revocations | undefined
}

/** What a device shows of itself. */
export interface Credentials {
  deviceCertificate: Uint8Array
  /** Member certificates of its owner, root first. */
  chain: readonly Uint8Array[]
}

/** What a device may do in a mesh, and until when that was checked. */
export interface DeviceMember extends Member {
  device: Uint8Array
  /** As it was shown. */
  chain: readonly Uint8Array[]
}

export interface MembershipsComponents {
  store: MeshStore
  clock: Clock
  ownerKey: OwnerKey
  /** Public key of this device. */
  device: Uint8Array
}

/** Who we are, to which meshes we belong, and who belongs to them with us. */
export interface Memberships {
  /** Our owner key. */
  readonly owner: Uint8Array
  list(): readonly Membership[]
  /** What we show to a member of the mesh. */
  credentials(mesh: Membership): Credentials
  /** What we may do ourselves. */
  own(mesh: Membership): Checked<Member>
  /** What the device with this key may do in the mesh, now. */
  verify(mesh: Membership, device: Uint8Array, shown: Credentials): Checked<DeviceMember>
}

/** Reads what is stored; a home without a mesh gets a personal one with the given name. */
export function createMemberships(parts: MembershipsComponents, init: { name: string }): Memberships {
  const { store, clock, ownerKey, device } = parts
  const owner = ownerKey.key.publicKey
  if (store.list().length === 0) store.save(personalMesh(ownerKey, init.name, clock.now()))
  const meshes = store.list().map(readRecord)

  const deviceCertificate = (): Uint8Array => {
    const now = clock.now()
    const stored = store.deviceCertificate()
    if (stored !== undefined) {
      const read = verifyDevice(stored, { device, now, revocations: NOTHING_REVOKED })
      if (read.ok && equalBytes(read.value.owner, owner) && now < read.value.renewAt) return stored
    }
    const certificate = certifyDevice(ownerKey.key, { device, now, expiresAt: now + LIFETIME_MS.device })
    store.saveDeviceCertificate(certificate)
    return certificate
  }
  deviceCertificate()
  const check = ({ revocations }: Membership) => ({
    now: clock.now(),
    revocations: revocations ?? NOTHING_REVOKED,
  })

  return {
    owner,
    list: () => meshes,
    credentials: ({ chain }) => ({ deviceCertificate: deviceCertificate(), chain }),
    own: (mesh) => verifyChain(mesh.roots, owner, mesh.chain, check(mesh)),
    verify(mesh, key, shown) {
      const acting = verifyDevice(shown.deviceCertificate, { device: key, ...check(mesh) })
      if (!acting.ok) return acting
      const member = verifyChain(mesh.roots, acting.value.owner, shown.chain, check(mesh))
      if (!member.ok) return member
      const expiresAt = Math.min(member.value.expiresAt, acting.value.expiresAt)
      return checked({ ...member.value, device: key, chain: shown.chain, expiresAt })
    },
  }
}

function personalMesh({ key, next }: OwnerKey, name: string, now: number): MeshRecord {
  const genesis = createGenesis({ name, owners: [{ key: key.publicKey, next: next.publicKey }] })
  return { id: genesis.meshId, name, genesis: genesis.bytes, rotations: [], chain: [], joinedAt: now }
}

/** @throws when the database was changed by others: what is in it was checked before */
function readRecord(record: MeshRecord): Membership {
  const { name, chain } = record
  const genesis = must(readGenesis(record.genesis))
  const roots = must(resolveRoots(genesis, record.rotations))
  if (!equalBytes(genesis.meshId, record.id)) must(refused('wrong_mesh'))
  const revocations =
    record.revocations === undefined ? undefined : must(readRevocations(roots, record.revocations))
  return { meshId: genesis.meshId, name, genesis, roots, chain, revocations }
}

function must<T>(read: Checked<T>): T {
  if (read.ok) return read.value
  throw new TypeError(`A stored mesh is damaged: ${read.reason}`)
}
