import { decodeCbor, encodeCbor } from '../util/cbor.ts'
import type { Database } from './database.ts'

/** A mesh that this device belongs to. Everything in it was checked before it was stored. */
export interface MeshRecord {
  /** 32 bytes. */
  id: Uint8Array
  /** What it is called here. */
  name: string
  genesis: Uint8Array
  rotations: readonly Uint8Array[]
  /** Our own member certificates, root first; empty for a root key. */
  chain: readonly Uint8Array[]
  /** Epoch ms. */
  joinedAt: number
  revocations?: Uint8Array
}

/** The meshes of this device. Every change survives a power cut when the method has returned. */
export interface MeshStore {
  /** In the order of joining. */
  list(): MeshRecord[]
  save(mesh: MeshRecord): void
  saveRevocations(meshId: Uint8Array, version: number, revocations: Uint8Array): void
  /** With everything that belongs to it. */
  remove(meshId: Uint8Array): void
  deviceCertificate(): Uint8Array | undefined
  saveDeviceCertificate(certificate: Uint8Array): void
}

/** In a database opened with `synchronous: 'full'`. */
export function createMeshStore(database: Database): MeshStore {
  const sql = {
    list: database.prepare(
      `SELECT meshes.*, revocations FROM meshes LEFT JOIN revocations ON mesh = id ORDER BY joined_at, id`,
    ),
    save: database.prepare(
      `INSERT INTO meshes (id, name, genesis, rotations, chain, joined_at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, rotations = excluded.rotations, chain = excluded.chain`,
    ),
    revoke: database.prepare(
      `INSERT INTO revocations (mesh, version, revocations) VALUES (?, ?, ?)
       ON CONFLICT (mesh) DO UPDATE SET version = excluded.version, revocations = excluded.revocations
       WHERE excluded.version >= revocations.version`,
    ),
    remove: database.prepare('DELETE FROM meshes WHERE id = ?'),
    device: database.prepare('SELECT certificate FROM device_certificate'),
    saveDevice: database.prepare(
      `INSERT INTO device_certificate (only_one, certificate) VALUES (1, ?)
       ON CONFLICT DO UPDATE SET certificate = excluded.certificate`,
    ),
  }
  const save = ({ id, name, genesis, rotations, chain, joinedAt, revocations: _ }: MeshRecord): void =>
    void sql.save.run(id, name, genesis, encodeCbor(rotations), encodeCbor(chain), joinedAt)
  return {
    list: () => sql.list.all().map(recordOf),
    save: (mesh) => database.transaction(() => save(mesh)),
    saveRevocations: (meshId, version, revocations) =>
      database.transaction(() => void sql.revoke.run(meshId, version, revocations)),
    remove: (meshId) => database.transaction(() => void sql.remove.run(meshId)),
    deviceCertificate: () => sql.device.get()?.['certificate'] as Uint8Array | undefined,
    saveDeviceCertificate: (certificate) => database.transaction(() => void sql.saveDevice.run(certificate)),
  }
}

function recordOf(row: Record<string, unknown>): MeshRecord {
  return {
    id: row['id'] as Uint8Array,
    name: row['name'] as string,
    genesis: row['genesis'] as Uint8Array,
    rotations: decodeCbor(row['rotations'] as Uint8Array) as Uint8Array[],
    chain: decodeCbor(row['chain'] as Uint8Array) as Uint8Array[],
    joinedAt: row['joined_at'] as number,
    ...(row['revocations'] === null ? {} : { revocations: row['revocations'] as Uint8Array }),
  }
}
