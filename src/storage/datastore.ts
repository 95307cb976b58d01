import type { StatementSync } from 'node:sqlite'
import { BaseDatastore } from 'datastore-core/base'
import { type Batch, type Datastore, Key, type KeyQuery, type Pair, type Query } from 'interface-datastore'
import type { Database } from './database.ts'

/** Rows that a query reads at a time: no statement stays open while the reader does something else. */
const PAGE = 256

/** What libp2p keeps (known peers, DHT records) in the table `datastore`. Writes of a tick share a commit. */
export function createDatastore(database: Database, disk: Disk): Datastore {
  return new SqliteDatastore(database, disk)
}

/** While it is full changes wait in memory: what is left is for others. */
interface Disk {
  readonly isFull: boolean
}

interface Change {
  key: Key
  /** Absent when the key was deleted. */
  value?: Uint8Array
}

interface Statements {
  put: StatementSync
  get: StatementSync
  has: StatementSync
  delete: StatementSync
  page: StatementSync
  pageOfKeys: StatementSync
}

class SqliteDatastore extends BaseDatastore {
  readonly #database: Database
  readonly #disk: Disk
  readonly #sql: Statements
  /** Changes that are not on disk, by key. */
  readonly #waiting = new Map<string, Change>()

  constructor(database: Database, disk: Disk) {
    super()
    this.#database = database
    this.#disk = disk
    const page = (columns: string): string =>
      `SELECT ${columns} FROM datastore WHERE key >= ? AND key < ? ORDER BY key LIMIT ${PAGE}`
    this.#sql = {
      put: database.prepare(
        'INSERT INTO datastore VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      ),
      get: database.prepare('SELECT value FROM datastore WHERE key = ?'),
      has: database.prepare('SELECT 1 FROM datastore WHERE key = ?'),
      delete: database.prepare('DELETE FROM datastore WHERE key = ?'),
      page: database.prepare(page('key, value')),
      pageOfKeys: database.prepare(page('key')),
    }
  }

  override async put(key: Key, value: Uint8Array): Promise<Key> {
    await this.#change([{ key, value }])
    return key
  }

  override async get(key: Key): Promise<Uint8Array> {
    const waiting = this.#waiting.get(key.toString())
    const value = waiting === undefined ? this.#sql.get.get(key.uint8Array())?.['value'] : waiting.value
    if (value === undefined) throw new NotFoundError(key)
    return value as Uint8Array
  }

  override async has(key: Key): Promise<boolean> {
    const waiting = this.#waiting.get(key.toString())
    if (waiting !== undefined) return waiting.value !== undefined
    return this.#sql.has.get(key.uint8Array()) !== undefined
  }

  override async delete(key: Key): Promise<void> {
    await this.#change([{ key }])
  }

  override batch(): Batch {
    let changes: Change[] = []
    return {
      put: (key, value) => changes.push({ key, value }),
      delete: (key) => changes.push({ key }),
      commit: async () => {
        const all = changes
        changes = []
        await this.#change(all)
      },
    }
  }

  override async *_all(query: Query): AsyncGenerator<Pair> {
    for (const row of this.#rows(this.#sql.page, query.prefix)) {
      const key = keyOf(row)
      if (!this.#waiting.has(key.toString())) yield { key, value: row['value'] as Uint8Array }
    }
    for (const { key, value } of this.#waitingWith(query.prefix)) {
      if (value !== undefined) yield { key, value }
    }
  }

  override async *_allKeys(query: KeyQuery): AsyncGenerator<Key> {
    for (const row of this.#rows(this.#sql.pageOfKeys, query.prefix)) {
      const key = keyOf(row)
      if (!this.#waiting.has(key.toString())) yield key
    }
    for (const { key, value } of this.#waitingWith(query.prefix)) {
      if (value !== undefined) yield key
    }
  }

  #waitingWith(prefix = ''): Change[] {
    return [...this.#waiting.values()].filter(({ key }) => key.toString().startsWith(prefix))
  }

  /** Readers see the changes at once, wherever they are. */
  async #change(changes: readonly Change[]): Promise<void> {
    if (this.#disk.isFull) {
      for (const change of changes) this.#waiting.set(change.key.toString(), change)
      return
    }
    const all = [...this.#waiting.values(), ...changes]
    this.#waiting.clear()
    try {
      await this.#database.write(() => all.forEach((change) => this.#write(change)))
    } catch (error) {
      if (!this.#disk.isFull) throw error
      // What came meanwhile is newer.
      for (const change of all) {
        const name = change.key.toString()
        if (!this.#waiting.has(name)) this.#waiting.set(name, change)
      }
    }
  }

  #write({ key, value }: Change): void {
    if (value === undefined) this.#sql.delete.run(key.uint8Array())
    else this.#sql.put.run(key.uint8Array(), value)
  }

  *#rows(statement: StatementSync, prefix = ''): Generator<Record<string, unknown>> {
    let from = Buffer.from(prefix)
    const end = endOfPrefix(from)
    while (true) {
      const rows = statement.all(from, end)
      yield* rows
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE) return
      // The smallest key that comes after the last one.
      from = Buffer.concat([last['key'] as Uint8Array, Uint8Array.of(0)])
    }
  }
}

/** libp2p knows a missing key by this name and nothing else. */
class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
  constructor(key: Key) {
    super(`Nothing is stored under ${key.toString()}.`)
  }
}

function keyOf(row: Record<string, unknown>): Key {
  return new Key(row['key'] as Uint8Array, false)
}

/** The smallest byte string above all that begin with `prefix`. UTF-8 has no byte 0xff. */
function endOfPrefix(prefix: Uint8Array): Uint8Array {
  if (prefix.length === 0) return Uint8Array.of(0xff)
  const end = Uint8Array.from(prefix)
  end[end.length - 1] = (end.at(-1) ?? 0) + 1
  return end
}
