import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createMemberships } from '../../../src/identity/memberships.ts'
import { createOwnerKey } from '../../../src/identity/owner-key.ts'
import { createRevocations } from '../../../src/identity/revocations.ts'
import { generateSigningKey } from '../../../src/identity/signing-key.ts'
import { openDatabase } from '../../../src/storage/database.ts'
import { createMeshStore } from '../../../src/storage/mesh-store.ts'
import { TRUST_MIGRATIONS } from '../../../src/storage/migrations.ts'
import { tempDir } from '../storage/temp-dir.ts'

const DAY = 86_400_000

function setUp() {
  const file = join(tempDir(), 'trust.db')
  const database = openDatabase(file, { migrations: TRUST_MIGRATIONS, synchronous: 'full' })
  onTestFinished(() => database.close())
  const store = createMeshStore(database)
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = { now: () => time.now, monotonic: () => time.now }
  const device = generateSigningKey().publicKey
  const ownerKey = createOwnerKey()
  const start = (name = 'laptop', owner = ownerKey) =>
    createMemberships({ store, clock, ownerKey: owner, device }, { name })
  return { store, time, device, ownerKey, start }
}

test('an empty home gets a personal mesh of its owner; the next start finds the same', () => {
  const { start, ownerKey } = setUp()
  const [mesh] = start().list()
  if (mesh === undefined) throw new Error('no mesh')
  expect(mesh).toMatchObject({ name: 'laptop', chain: [] })
  const again = start('renamed')
  expect(again.list().map(({ meshId, name }) => [meshId, name])).toEqual([[mesh.meshId, 'laptop']])
  expect(again.owner).toEqual(ownerKey.key.publicKey)
  expect(again.own(mesh)).toMatchObject({
    ok: true,
    value: { role: 'owner', expiresAt: Number.POSITIVE_INFINITY },
  })
})

test('what a device shows is believed for its key, by everybody in the mesh, and for nobody else', () => {
  const { start, device } = setUp()
  const memberships = start()
  const [mesh] = memberships.list()
  if (mesh === undefined) throw new Error('no mesh')
  const shown = memberships.credentials(mesh)
  expect(memberships.verify(mesh, device, shown)).toMatchObject({
    ok: true,
    value: { role: 'owner', device },
  })
  const other = generateSigningKey().publicKey
  expect(memberships.verify(mesh, other, shown)).toEqual({ ok: false, reason: 'wrong_subject' })
  const stranger = setUp()
  const theirs = stranger.start()
  const [their] = theirs.list()
  if (their === undefined) throw new Error('no mesh')
  expect(memberships.verify(mesh, stranger.device, theirs.credentials(their))).toEqual({
    ok: false,
    reason: 'unknown_root',
  })
})

test('the device certificate is renewed at half time, and made anew for another owner', () => {
  const { start, store, time } = setUp()
  const memberships = start()
  const [mesh] = memberships.list()
  if (mesh === undefined) throw new Error('no mesh')
  const first = memberships.credentials(mesh).deviceCertificate
  time.now += 14 * DAY
  expect(memberships.credentials(mesh).deviceCertificate).toEqual(first)
  time.now += 2 * DAY
  const second = memberships.credentials(mesh).deviceCertificate
  expect(second).not.toEqual(first)
  expect(store.deviceCertificate()).toEqual(second)
  start('laptop', createOwnerKey())
  expect(store.deviceCertificate()).not.toEqual(second)
})

test('a revoked device is refused by those who know of it, after a restart too', () => {
  const { start, store, device, ownerKey } = setUp()
  const before = start()
  const [mesh] = before.list()
  if (mesh === undefined) throw new Error('no mesh')
  const { meshId } = mesh
  store.saveRevocations(meshId, 1, createRevocations(ownerKey.key, { meshId, version: 1, entries: [device] }))
  const after = start()
  const [same] = after.list()
  if (same === undefined) throw new Error('no mesh')
  expect(after.verify(same, device, before.credentials(mesh))).toEqual({ ok: false, reason: 'revoked' })
})

test('a database that somebody else has changed is refused', () => {
  const { start, store } = setUp()
  start()
  const [record] = store.list()
  if (record === undefined) throw new Error('no mesh')
  store.remove(record.id)
  store.save({ ...record, id: new Uint8Array(32) })
  expect(() => start()).toThrow('damaged')
})
