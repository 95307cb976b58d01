import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { type Database, openDatabase } from '../../../src/storage/database.ts'
import { tempDir } from './temp-dir.ts'

const NUMBERS = 'CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT'

function open(file: string, migrations = [NUMBERS]): Database {
  const database = openDatabase(file, { migrations, synchronous: 'full' })
  onTestFinished(() => database.close())
  return database
}
const modeOf = (file: string): number => statSync(file).mode & 0o777
const numbers = (database: Database): unknown[] =>
  database
    .prepare('SELECT n FROM numbers ORDER BY n')
    .all()
    .map((row) => row['n'])
const inserting = (database: Database, n: number) => () => {
  database.prepare('INSERT INTO numbers VALUES (?)').run(n)
}

test('only the user can read the file and its folder, even if they were open before', async () => {
  const file = join(tempDir(), 'state', 'test.db')
  const database = open(file)
  await database.write(inserting(database, 1))
  expect([modeOf(file), modeOf(`${file}-wal`), modeOf(join(file, '..'))]).toEqual([0o600, 0o600, 0o700])
  database.close()
  chmodSync(file, 0o644)
  open(file)
  expect(modeOf(file)).toBe(0o600)
})

test('uses WAL and the asked-for durability', () => {
  const database = open(join(tempDir(), 'test.db'))
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
})

test('migrates step by step, keeps a copy, and runs each step once', async () => {
  const file = join(tempDir(), 'test.db')
  const old = open(file)
  await old.write(inserting(old, 7))
  old.close()
  const migrations = [NUMBERS, 'ALTER TABLE numbers ADD COLUMN name TEXT', 'UPDATE numbers SET n = n + 1']
  open(file, migrations).close()
  expect(numbers(open(file, migrations))).toEqual([8])
  expect(numbers(open(`${file}.v1`))).toEqual([7])
  expect(modeOf(`${file}.v1`)).toBe(0o600)
})

test('a failing migration leaves the file at the version before it', () => {
  const file = join(tempDir(), 'test.db')
  open(file).close()
  expect(() => open(file, [NUMBERS, 'INSERT INTO numbers VALUES (1); nonsense'])).toThrow(
    /failed: near "nonsense"/,
  )
  expect(numbers(open(file))).toEqual([])
})

test('refuses a file of a newer program', () => {
  const file = join(tempDir(), 'test.db')
  open(file, [NUMBERS, 'SELECT 1']).close()
  expect(() => open(file)).toThrow(
    expect.objectContaining({ reason: 'storage_failed', details: { file, found: 2, known: 1 } }),
  )
})

test('says what to do about a damaged file, and leaves it alone', () => {
  const file = join(tempDir(), 'test.db')
  writeFileSync(file, 'this is no database '.repeat(500))
  expect(() => open(file)).toThrow(
    expect.objectContaining({
      reason: 'storage_failed',
      message: expect.stringContaining('is damaged'),
      hint: expect.stringContaining(`mv "${file}"`),
    }),
  )
  expect(statSync(file).size).toBe(10_000)
})

test('the writes of a tick share a commit, and readers see them before it', async () => {
  const database = open(join(tempDir(), 'test.db'))
  const writes = [1, 2, 3].map((n) => database.write(inserting(database, n)))
  expect(numbers(database)).toEqual([1, 2, 3])
  const other = open(database.file)
  expect(numbers(other)).toEqual([])
  await writes[0]
  expect(numbers(other)).toEqual([1, 2, 3])
})

test('a write that throws is undone alone', async () => {
  const database = open(join(tempDir(), 'test.db'))
  const first = database.write(inserting(database, 1))
  const broken = database.write(() => {
    inserting(database, 2)()
    throw new Error('no')
  })
  const last = database.write(inserting(database, 3))
  await expect(broken).rejects.toThrow('no')
  await Promise.all([first, last])
  expect(numbers(database)).toEqual([1, 3])
})

test('a transaction is undone when it throws; an inner one belongs to it', () => {
  const database = open(join(tempDir(), 'test.db'))
  const tryTwo = (): void =>
    database.transaction(() => {
      inserting(database, 1)()
      database.transaction(inserting(database, 2))
      throw new Error('no')
    })
  expect(tryTwo).toThrow('no')
  database.transaction(() => {
    inserting(database, 3)()
    expect(() => database.transaction(inserting(database, 3))).toThrow(/UNIQUE/)
  })
  expect(numbers(database)).toEqual([3])
})

test('a transaction commits the writes before it', async () => {
  const database = open(join(tempDir(), 'test.db'))
  const write = database.write(inserting(database, 1))
  database.transaction(inserting(database, 2))
  expect(numbers(open(database.file))).toEqual([1, 2])
  await write
})

test('on a full disk nobody is told that a lost write was kept, and small writes go on', async () => {
  const withBlobs = [NUMBERS, 'CREATE TABLE blobs (b BLOB)']
  const database = open(join(tempDir(), 'test.db'), withBlobs)
  const limit = Number(database.prepare('PRAGMA page_count').get()?.['page_count']) + 2
  database.prepare(`PRAGMA max_page_count = ${limit}`).get()
  const small = database.write(inserting(database, 1))
  const large = database.write(() => database.prepare('INSERT INTO blobs VALUES (zeroblob(100000))').run())
  await expect(large).rejects.toMatchObject({ reason: 'storage_failed', message: /is full/ })
  const smallEnded = await small.then(
    () => 'kept',
    () => 'lost',
  )
  expect(numbers(open(database.file, withBlobs))).toEqual(smallEnded === 'kept' ? [1] : [])
  await database.write(inserting(database, 2))
})

test('closing commits what is open', async () => {
  const database = open(join(tempDir(), 'test.db'))
  const write = database.write(inserting(database, 1))
  await using _ = database
  database.close()
  await write
  expect(numbers(open(database.file))).toEqual([1])
  expect(existsSync(database.file)).toBe(true)
})

test('a file of before, which could not become smaller, can after its next migration', async () => {
  const file = join(tempDir(), 'test.db')
  const old = new DatabaseSync(file)
  old.exec(`PRAGMA journal_mode = WAL; ${NUMBERS}; PRAGMA user_version = 1; CREATE TABLE big (b BLOB)`)
  old.close()
  const database = open(file, [NUMBERS, 'CREATE TABLE other (n INTEGER)'])
  const insert = database.prepare('INSERT INTO big VALUES (zeroblob(20000))')
  await database.write(() => {
    for (let n = 0; n < 1_000; n += 1) insert.run()
  })
  database.transaction(() => database.prepare('DELETE FROM big').run())
  let parts = 0
  while (database.giveBack()) parts += 1
  expect(parts).toBeGreaterThan(3)
  expect(database.prepare('PRAGMA page_count').get()?.['page_count']).toBeLessThan(1_200)
  // What is left is kept for the next rows.
  expect(database.giveBack()).toBe(false)
})
