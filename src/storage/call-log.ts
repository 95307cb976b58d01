import type { ErrorData } from '../errors/error.ts'
import type { CallState, LoggedCall } from '../model/call.ts'
import type { Database } from './database.ts'

/** History of the calls that this device made. It survives a crash of the daemon. */
export interface CallLog extends Disposable {
  /**
   * Adds a record, or replaces the one with the same id. Readers see it at once; the promise resolves
   * when it is committed, together with the others of this tick.
   *
   * @throws `storage_failed`
   */
  put(record: LoggedCall): Promise<void>
  /**
   * The same, with a commit a few milliseconds later that is shared with the other notes of that time. For
   * what may be lost in a crash. A note of a record that was noted before replaces it unwritten.
   */
  note(record: LoggedCall): void
  find(id: string): LoggedCall | undefined
  /** The newest call with this idempotency key. */
  findByKey(key: string): LoggedCall | undefined
  /** Newest first. */
  recent(limit: number): LoggedCall[]
  /** Calls without an end. At the start: those an earlier boot lost track of; their providers know more. */
  running(): LoggedCall[]
  /** Forgets the oldest ended calls beyond `maxRows`. @param maxRows - default 10,000 */
  prune(maxRows?: number): void
  /** Writes the notes that wait. */
  [Symbol.dispose](): void
}

/** A commit costs as much as a whole call; this many milliseconds of calls share one. */
const NOTE_DELAY_MS = 10
/** For so long an idempotency key is remembered, however many calls follow. */
const KEEP_KEYS_MS = 24 * 3_600_000

/** The log in a database; `synchronous: 'normal'` is enough, the provider's journal has the last word. */
export function createCallLog(database: Database): CallLog {
  const select = (rest: string): ReturnType<Database['prepare']> =>
    database.prepare(`SELECT * FROM calls ${rest}`)
  const sql = {
    put: database.prepare(
      `INSERT INTO calls (id, fn, key, digest, peer_id, peer_name, idempotent, state, started_at, ended_at, error)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET fn = excluded.fn, key = excluded.key, peer_id = excluded.peer_id,
         peer_name = excluded.peer_name, idempotent = excluded.idempotent, state = excluded.state, started_at = excluded.started_at,
         ended_at = excluded.ended_at, error = excluded.error`,
    ),
    find: select('WHERE id = ?'),
    findByKey: select('WHERE key = ? ORDER BY started_at DESC, rowid DESC LIMIT 1'),
    recent: select('ORDER BY started_at DESC, rowid DESC LIMIT ?'),
    running: select(`WHERE state = 'running' ORDER BY started_at`),
    prune: database.prepare(
      `DELETE FROM calls WHERE state <> 'running' AND (key IS NULL OR started_at < ?) AND rowid IN
         (SELECT rowid FROM calls ORDER BY started_at DESC, rowid DESC LIMIT -1 OFFSET ?)`,
    ),
  }
  const noted = new Map<string, LoggedCall>()
  let timer: NodeJS.Timeout | undefined

  const run = (call: LoggedCall): void => {
    const errorJson = call.error === undefined ? null : JSON.stringify(call.error)
    const request = [call.id, call.fn, call.key ?? null, call.digest ?? null]
    const progress = [
      call.peerId ?? null,
      call.peerName ?? null,
      call.idempotent === undefined ? null : Number(call.idempotent),
      call.state,
      call.startedAt,
      call.endedAt ?? null,
    ]
    sql.put.run(...request, ...progress, errorJson)
  }
  /** Makes the notes visible to SQL, in the order they came. */
  const writeNotes = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (noted.size === 0) return
    const records = [...noted.values()]
    noted.clear()
    const write = database.write(() => {
      for (const record of records) run(record)
    })
    // Like every note, it may be lost; whoever needs the disk awaits `put`, which fails as well.
    write.catch(() => undefined)
  }

  return {
    async put(record) {
      writeNotes()
      await database.write(() => run(record))
    },
    note(record) {
      noted.set(record.id, record)
      timer ??= setTimeout(writeNotes, NOTE_DELAY_MS)
    },
    find: (id) => noted.get(id) ?? optional(sql.find.get(id)),
    findByKey(key) {
      writeNotes()
      return optional(sql.findByKey.get(key))
    },
    recent(limit) {
      writeNotes()
      return sql.recent.all(limit).map(recordOf)
    },
    running() {
      writeNotes()
      return sql.running.all().map(recordOf)
    },
    [Symbol.dispose]: writeNotes,
    prune(maxRows = 10_000) {
      database.transaction(() => sql.prune.run(Date.now() - KEEP_KEYS_MS, maxRows))
    },
  }
}

function optional(row: Record<string, unknown> | undefined): LoggedCall | undefined {
  return row === undefined ? undefined : recordOf(row)
}

function recordOf(row: Record<string, unknown>): LoggedCall {
  return {
    id: row['id'] as string,
    fn: row['fn'] as string,
    state: row['state'] as CallState,
    startedAt: row['started_at'] as number,
    ...(row['key'] === null ? {} : { key: row['key'] as string }),
    ...(row['digest'] === null ? {} : { digest: row['digest'] as string }),
    ...(row['peer_id'] === null ? {} : { peerId: row['peer_id'] as string }),
    ...(row['peer_name'] === null ? {} : { peerName: row['peer_name'] as string }),
    ...(row['idempotent'] === null ? {} : { idempotent: row['idempotent'] === 1 }),
    ...(row['ended_at'] === null ? {} : { endedAt: row['ended_at'] as number }),
    ...(row['error'] === null ? {} : { error: JSON.parse(row['error'] as string) as ErrorData }),
  }
}
