import { join } from 'node:path'
import { type Database, openDatabase } from './database.ts'
import { JOURNAL_MIGRATIONS, MAIN_MIGRATIONS, TRUST_MIGRATIONS } from './migrations.ts'

/** The databases of one daemon. */
export interface NodeDatabases extends Disposable {
  /** `easynet.db`: known peers, history. */
  main: Database
  /** `journal.db`: executions for others. */
  journal: Database
  /** `trust.db`: meshes, members, invites. */
  trust: Database
}

/**
 * Opens all. They are files of their own because durability is a property of a connection, and a file can
 * have one writer: in one file, an fsync for the journal would hold up every note about a peer. And a
 * journal that is damaged can be put aside without losing the membership.
 *
 * @throws `storage_failed`
 */
export function openNodeDatabases(home: { stateDir: string; databaseFile: string }): NodeDatabases {
  using opened = new DisposableStack()
  const main = opened.use(
    openDatabase(home.databaseFile, { migrations: MAIN_MIGRATIONS, synchronous: 'normal' }),
  )
  const journal = opened.use(
    openDatabase(join(home.stateDir, 'journal.db'), { migrations: JOURNAL_MIGRATIONS, synchronous: 'full' }),
  )
  const trust = opened.use(
    openDatabase(join(home.stateDir, 'trust.db'), { migrations: TRUST_MIGRATIONS, synchronous: 'full' }),
  )
  const owned = opened.move()
  return { main, journal, trust, [Symbol.dispose]: () => owned.dispose() }
}
