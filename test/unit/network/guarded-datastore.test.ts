import { MemoryDatastore } from 'datastore-core'
import { Key } from 'interface-datastore'
import { expect, test } from 'vitest'
import { guardDatastore } from '../../../src/network/guarded-datastore.ts'

const record = new Key('/dht/record/ANY')

test('values of the DHT are not stored for others: nobody here asks for them', async () => {
  const inner = new MemoryDatastore()
  const guarded = await guardDatastore(inner, 'own')
  await expect(guarded.put(record, new Uint8Array(100))).rejects.toMatchObject({ reason: 'too_large' })
  const batch = guarded.batch()
  batch.put(record, new Uint8Array(100))
  await expect(batch.commit()).rejects.toMatchObject({ reason: 'too_large' })
  expect(await inner.has(record)).toBe(false)
})

test('values that were stored by an earlier version are removed', async () => {
  const inner = new MemoryDatastore()
  const address = new Key('/peers/a')
  await inner.put(record, new Uint8Array(100))
  await inner.put(address, new Uint8Array(1))
  await guardDatastore(inner, 'own')
  expect([await inner.has(record), await inner.has(address)]).toEqual([false, true])
})
