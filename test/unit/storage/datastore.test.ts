import { join } from 'node:path'
import fc from 'fast-check'
import { type Datastore, Key } from 'interface-datastore'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../../src/storage/database.ts'
import { createDatastore } from '../../../src/storage/datastore.ts'
import { MAIN_MIGRATIONS } from '../../../src/storage/migrations.ts'
import { tempDir } from './temp-dir.ts'

function open(disk = { isFull: false }): Datastore {
  const database = openDatabase(join(tempDir(), 'test.db'), {
    migrations: MAIN_MIGRATIONS,
    synchronous: 'normal',
  })
  onTestFinished(() => database.close())
  return createDatastore(database, disk)
}
async function all<T>(items: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items)
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('a missing key is the error that libp2p looks for', async () => {
  await expect(open().get(new Key('/none'))).rejects.toMatchObject({ name: 'NotFoundError' })
})

test('pages through more rows than it reads at a time, while rows are deleted', async () => {
  const store = open()
  const batch = store.batch()
  for (let n = 0; n < 600; n += 1) batch.put(new Key(`/many/${n}`), bytes(String(n)))
  batch.put(new Key('/other'), bytes('x'))
  await batch.commit()
  const seen = new Set<string>()
  for await (const { key } of store.query({ prefix: '/many/' })) {
    seen.add(key.toString())
    await store.delete(key)
  }
  expect(seen.size).toBe(600)
  expect(await all(store.queryKeys({}))).toHaveLength(1)
})

test('what waited while the disk was full is on it after the next change', async () => {
  const disk = { isFull: true }
  const database = openDatabase(join(tempDir(), 'test.db'), {
    migrations: MAIN_MIGRATIONS,
    synchronous: 'normal',
  })
  onTestFinished(() => database.close())
  const store = createDatastore(database, disk)
  const rows = () => database.prepare('SELECT count(*) AS n FROM datastore').get()?.['n']
  await store.put(new Key('/a'), bytes('1'))
  expect(rows()).toBe(0)
  disk.isFull = false
  await store.put(new Key('/b'), bytes('2'))
  expect(rows()).toBe(2)
})

const segment = fc.oneof(
  fc.constantFrom('a', 'b', 'ab', 'peers', 'ÿ', '\u{10ffff}', '\0'),
  fc.string({ maxLength: 4 }),
)
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
const change = fc.oneof(
  fc.record({ do: fc.constant('put' as const), path, value: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ do: fc.constant('delete' as const), path }),
)
const step = fc.record({
  changes: fc.array(change, { maxLength: 5 }),
  batched: fc.boolean(),
  isFull: fc.boolean(),
})

test('behaves like a map of keys to bytes, whether the disk is full or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), path, async (steps, prefix) => {
      const disk = { isFull: false }
      const store = open(disk)
      const model = new Map<string, Uint8Array>()
      for (const { changes, batched, isFull } of steps) {
        disk.isFull = isFull
        const batch = batched ? store.batch() : undefined
        for (const one of changes) {
          const key = new Key(one.path)
          if (one.do === 'put') {
            await (batch ?? store).put(key, one.value)
            model.set(key.toString(), one.value)
          } else {
            await (batch ?? store).delete(key)
            model.delete(key.toString())
          }
        }
        await batch?.commit()
      }
      const expected = [...model].filter(([key]) => key.startsWith(prefix))
      const found = await all(store.query({ prefix }))
      expect(new Map(found.map(({ key, value }) => [key.toString(), new Uint8Array(value)]))).toEqual(
        new Map(expected),
      )
      expect((await all(store.queryKeys({}))).map(String).sort()).toEqual([...model.keys()].sort())
      for (const [key, value] of model) expect(new Uint8Array(await store.get(new Key(key)))).toEqual(value)
      expect(await store.has(new Key(prefix))).toBe(model.has(new Key(prefix).toString()))
    }),
    { numRuns: 60 },
  )
})
