import { join } from 'node:path'
import { type Database, openDatabase } from './database.ts'
import { type DiskReserve, openDiskReserve } from './disk-reserve.ts'
import { JOURNAL_MIGRATIONS, MAIN_MIGRATIONS, TRUST_MIGRATIONS } from './migrations.ts'

/** The databases of one daemon. */
export interface NodeDatabases extends Disposable {
  /** `easynet.db`: known peers, history. */
  main: Database
  /** `journal.db`: executions for others. */
  journal: Database
  /** `trust.db`: meshes, members, invites. */
  trust: Database
  disk: DiskReserve
}

/**
 * Opens all. They are files of their own because durability is a property of a connection, and a file can
 * have one writer: in one file, an fsync for the journal would hold up every note about a peer. And a
 * journal that is damaged can be put aside without losing the membership.
 *
 * @param onDiskChange - the disk is full, or has room again
 * @throws `storage_failed`
 */
export function openNodeDatabases(
  home: { stateDir: string; databaseFile: string },
  onDiskChange?: (isFull: boolean) => void,
): NodeDatabases {
  using opened = new DisposableStack()
  const folder = home.stateDir
  // First, since on a full disk its room is needed to open the others.
  const disk = opened.use(openDiskReserve({ folder, onChange: onDiskChange }))
  const onFull = (): void => disk.exhausted()
  const durable = { synchronous: 'full', onFull } as const
  const main = opened.use(
    openDatabase(home.databaseFile, { migrations: MAIN_MIGRATIONS, synchronous: 'normal', onFull }),
  )
  const journal = opened.use(
    openDatabase(join(folder, 'journal.db'), { migrations: JOURNAL_MIGRATIONS, ...durable }),
  )
  const trust = opened.use(
    openDatabase(join(folder, 'trust.db'), { migrations: TRUST_MIGRATIONS, ...durable }),
  )
  const owned = opened.move()
  return { main, journal, trust, disk, [Symbol.dispose]: () => owned.dispose() }
}
