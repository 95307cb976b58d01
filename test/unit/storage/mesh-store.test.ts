import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../../src/storage/database.ts'
import { createMemberStore } from '../../../src/storage/member-store.ts'
import { createMeshStore, type MeshRecord } from '../../../src/storage/mesh-store.ts'
import { TRUST_MIGRATIONS } from '../../../src/storage/migrations.ts'
import { tempDir } from './temp-dir.ts'

function setUp() {
  const file = join(tempDir(), 'trust.db')
  const database = openDatabase(file, { migrations: TRUST_MIGRATIONS, synchronous: 'full' })
  onTestFinished(() => database.close())
  return { meshes: createMeshStore(database), members: createMemberStore(database) }
}
const mesh = (fill: number, joinedAt = fill): MeshRecord => ({
  id: new Uint8Array(32).fill(fill),
  name: `mesh ${fill}`,
  genesis: Uint8Array.of(1),
  rotations: [Uint8Array.of(2)],
  chain: [Uint8Array.of(3), Uint8Array.of(4, 4)],
  joinedAt,
})

test('meshes come back as they were, in the order of joining; saving again renames and renews', () => {
  const { meshes } = setUp()
  meshes.save(mesh(2))
  meshes.save(mesh(1))
  expect(meshes.list()).toEqual([mesh(1), mesh(2)])
  const renewed = { ...mesh(1), name: 'home', chain: [], joinedAt: 77 }
  meshes.save(renewed)
  expect(meshes.list()[0]).toEqual({ ...renewed, joinedAt: 1 })
})

test('revocations never go back to a lower version', () => {
  const { meshes } = setUp()
  meshes.save(mesh(1))
  const set = (version: number): Uint8Array | undefined => {
    meshes.saveRevocations(mesh(1).id, version, Uint8Array.of(version))
    return meshes.list()[0]?.revocations
  }
  expect([set(2), set(1), set(3)]).toEqual([Uint8Array.of(2), Uint8Array.of(2), Uint8Array.of(3)])
})

test('leaving a mesh forgets its members and revocations', async () => {
  const { meshes, members } = setUp()
  meshes.save(mesh(1))
  meshes.saveRevocations(mesh(1).id, 1, Uint8Array.of(1))
  const ann = { mesh: mesh(1).id, owner: Uint8Array.of(1), device: Uint8Array.of(2), name: 'ann', chain: [] }
  await members.seen(ann, 10)
  await members.seen({ ...ann, name: 'ann 2' }, 20)
  expect(members.list(mesh(1).id)).toEqual([{ ...ann, name: 'ann 2', firstSeenAt: 10, lastSeenAt: 20 }])
  meshes.remove(mesh(1).id)
  expect([meshes.list(), members.list(mesh(1).id)]).toEqual([[], []])
})

test('there is one device certificate', () => {
  const { meshes } = setUp()
  expect(meshes.deviceCertificate()).toBeUndefined()
  meshes.saveDeviceCertificate(Uint8Array.of(1))
  meshes.saveDeviceCertificate(Uint8Array.of(2))
  expect(meshes.deviceCertificate()).toEqual(Uint8Array.of(2))
})
