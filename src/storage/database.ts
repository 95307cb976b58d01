import { chmodSync, closeSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { ensurePrivateDir } from '../util/private-files.ts'
import type { EasyNetError } from '../errors/error.ts'
import { isDiskFull, newerDatabase, toStorageError } from './storage-error.ts'

export interface DatabaseInit {
  /** Entry `n` brings the file from version `n` to `n + 1`. */
  migrations: readonly string[]
  /**
   * `full`: a commit survives a power cut (about 0.1 ms). `normal`: it survives a crash of this program,
   * a power cut may take the last commits.
   */
  synchronous: 'full' | 'normal'
  /** A write found no room on the disk. */
  onFull?: (() => void) | undefined
  /** Longest wait for a lock that another process holds. @default 2000 */
  busyTimeoutMs?: number
}

/**
 * One connection to one SQLite file. A file has one connection: two in the same thread would wait for
 * each other's locks.
 */
export interface Database extends Disposable, AsyncDisposable {
  readonly file: string
  prepare(sql: string): StatementSync
  /**
   * Runs `fn` at once and resolves when its changes are committed. All writes of one tick share one
   * commit; each of them is undone alone when it throws. Reads see the changes at once.
   *
   * @throws `storage_failed`
   */
  write<T>(fn: () => T): Promise<T>
  /**
   * Runs `fn` in a transaction of its own that is committed on return, undone when it throws.
   * `fn` is synchronous. A transaction inside another becomes part of it.
   *
   * @throws `storage_failed`
   */
  transaction<T>(fn: () => T): T
  /**
   * Gives the disk a part of what deleted rows have left, about 2 MiB at a time; what the next rows will take
   * stays. True when there is more: call it again in a moment.
   *
   * @throws `storage_failed`
   */
  giveBack(): boolean
  /** Commits what is open and closes the file. */
  close(): void
}

/** The file can become smaller by and by, and not only as a whole. */
const GIVE_BACK = 'PRAGMA auto_vacuum = INCREMENTAL'
/** Pages of 4 KiB. */
const GIVEN_BACK_PAGES = 512
/** The log that precedes the file is cut to this size whenever it starts anew. */
const MAX_WAL_BYTES = 8 * 1024 * 1024

/** Holds the promises of the writes that share a commit. */
interface Group {
  waiting: { resolve: () => void; reject: (error: Error) => void }[]
  timer: NodeJS.Immediate
}

/**
 * Opens (or creates, mode 0600 in a folder of mode 0700) a database and brings it to the newest version.
 * Before an existing one is changed, a copy is kept beside it as `FILE.v<version>`.
 *
 * @throws {@link EasyNetError} `storage_failed` when it is damaged, locked, or newer than this program
 */
export function openDatabase(file: string, init: DatabaseInit): Database {
  let sqlite: DatabaseSync | undefined
  try {
    ensurePrivateDir(dirname(file))
    // SQLite would create it with the process's umask; its -wal and -shm files copy this mode.
    closeSync(openSync(file, 'a', 0o600))
    chmodSync(file, 0o600)
    sqlite = new DatabaseSync(file, { timeout: init.busyTimeoutMs ?? 2_000 })
    // Has to come before the first table.
    if (numberOf(sqlite.prepare('PRAGMA page_count')) === 0) sqlite.exec(GIVE_BACK)
    sqlite.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${init.synchronous.toUpperCase()};
      PRAGMA journal_size_limit = ${MAX_WAL_BYTES}`)
    migrate(sqlite, file, init.migrations)
    return createDatabase(sqlite, file, init.onFull)
  } catch (error) {
    sqlite?.close()
    throw toStorageError(file, error)
  }
}

function migrate(sqlite: DatabaseSync, file: string, migrations: readonly string[]): void {
  const found = numberOf(sqlite.prepare('PRAGMA user_version'))
  if (found > migrations.length) throw newerDatabase(file, found, migrations.length)
  if (found > 0 && found < migrations.length) keepCopy(sqlite, `${file}.v${found}`)
  for (let version = found; version < migrations.length; version += 1) {
    sqlite.exec('BEGIN EXCLUSIVE')
    try {
      sqlite.exec(migrations[version] as string)
      sqlite.exec(`PRAGMA user_version = ${version + 1}; COMMIT`)
    } catch (error) {
      if (sqlite.isTransaction) sqlite.exec('ROLLBACK')
      throw error
    }
  }
  if (found > 0 && found < migrations.length && numberOf(sqlite.prepare('PRAGMA auto_vacuum')) === 0) {
    // Made before files were given back; this rewrites it once.
    sqlite.exec(`${GIVE_BACK}; VACUUM`)
  }
}

function numberOf(statement: StatementSync): number {
  return Number(Object.values(statement.get() ?? {})[0])
}

function keepCopy(sqlite: DatabaseSync, copy: string): void {
  rmSync(copy, { force: true })
  sqlite.prepare('VACUUM INTO ?').run(copy)
  chmodSync(copy, 0o600)
}

function createDatabase(sqlite: DatabaseSync, file: string, onFull?: () => void): Database {
  const begin = sqlite.prepare('BEGIN IMMEDIATE')
  const commit = sqlite.prepare('COMMIT')
  const rollback = sqlite.prepare('ROLLBACK')
  const savepoint = sqlite.prepare('SAVEPOINT part')
  const release = sqlite.prepare('RELEASE part')
  const rollbackToSavepoint = sqlite.prepare('ROLLBACK TO part')
  const freePages = sqlite.prepare('PRAGMA freelist_count')
  const allPages = sqlite.prepare('PRAGMA page_count')
  let group: Group | undefined
  let depth = 0
  const explained = (error: unknown): EasyNetError => {
    if (isDiskFull(error)) onFull?.()
    return toStorageError(file, error)
  }

  const attempt = <T>(fn: () => T, keep: StatementSync, undo: () => void): T => {
    depth += 1
    try {
      const result = fn()
      keep.run()
      return result
    } catch (error) {
      // A full disk makes SQLite end the transaction by itself.
      if (sqlite.isTransaction) undo()
      // Errors that `fn` itself throws pass unchanged; those of SQLite are explained.
      throw error instanceof Error && 'errcode' in error ? explained(error) : error
    } finally {
      depth -= 1
    }
  }
  const run = (statement: StatementSync): void => {
    try {
      statement.run()
    } catch (error) {
      throw explained(error)
    }
  }
  const part = <T>(fn: () => T): T => {
    run(savepoint)
    return attempt(fn, release, () => {
      rollbackToSavepoint.run()
      release.run()
    })
  }
  const settle = (error?: Error): void => {
    const { waiting, timer } = group ?? { waiting: [], timer: undefined }
    group = undefined
    clearImmediate(timer)
    for (const { resolve, reject } of waiting) {
      if (error === undefined) resolve()
      else reject(error)
    }
  }
  const commitGroup = (): void => {
    if (group === undefined) return
    try {
      commit.run()
      settle()
    } catch (error) {
      if (sqlite.isTransaction) rollback.run()
      settle(explained(error))
    }
  }

  const database: Database = {
    file,
    prepare: (sql) => sqlite.prepare(sql),
    write(fn) {
      return new Promise((resolve, reject) => {
        if (depth > 0) return resolve(part(fn))
        if (group === undefined) {
          run(begin)
          group = { waiting: [], timer: setImmediate(commitGroup) }
        }
        try {
          const result = part(fn)
          group.waiting.push({ resolve: () => resolve(result), reject })
        } catch (error) {
          if (!sqlite.isTransaction) settle(toStorageError(file, error))
          throw error
        }
      })
    },
    transaction(fn) {
      if (depth > 0) return part(fn)
      commitGroup()
      run(begin)
      return attempt(fn, commit, () => rollback.run())
    },
    giveBack() {
      commitGroup()
      const [free, all] = [numberOf(freePages), numberOf(allPages)]
      const kept = GIVEN_BACK_PAGES + all / 10
      if (free <= kept) return false
      try {
        sqlite.exec(`PRAGMA incremental_vacuum(${GIVEN_BACK_PAGES})`)
      } catch (error) {
        throw toStorageError(file, error)
      }
      return free - GIVEN_BACK_PAGES > kept && numberOf(freePages) < free
    },
    close() {
      if (!sqlite.isOpen) return
      commitGroup()
      sqlite.close()
    },
    [Symbol.dispose]: () => database.close(),
    [Symbol.asyncDispose]: async () => database.close(),
  }
  return database
}
