import type { ErrorData } from '../errors/error.ts'
import type { CallState, LoggedCall } from '../model/call.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { createNewest } from '../util/newest.ts'
import type { Database } from './database.ts'
import { diskFull } from './disk-reserve.ts'

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
   * The same, with a commit that is shared with other notes: a few milliseconds later while the call runs, so
   * that a crash finds it, and within a second when it has ended. For what may be lost in a crash. Of calls
   * that began and ended in one such second the newest 1,000 are written; memory has the newest 10,000. Notes
   * that a full disk refuses wait, the newest 10,000, until it takes them.
   */
  note(record: LoggedCall): void
  find(id: string): LoggedCall | undefined
  /** The newest call with this idempotency key. */
  findByKey(key: string): LoggedCall | undefined
  /** Newest first. */
  recent(limit: number): LoggedCall[]
  /** Calls without an end. At the start: those an earlier boot lost track of; their providers know more. */
  running(): LoggedCall[]
  /** Forgets a part of what is beyond the limits. True when there is more: call it again in a moment. */
  prune(): boolean
  /** Writes the notes that wait. */
  [Symbol.dispose](): void
}

/** A commit costs as much as a whole call, and so does a row. A call is written when it has run for one or two of these. */
const NOTE_DELAY_MS = 10
/** The same for calls that have ended: nobody waits for their rows, and writing one costs as much as a call. */
const ENDED_DELAY_MS = 1_000
/** When notes are tried again that the disk did not take. */
const RETRY_MS = 1_000
/** Rows of that second which are written: a daemon that makes more calls has better things to do. */
const MAX_ENDED_ROWS = 1_000
/** Ended calls that are kept, on disk as in memory. */
const MAX_ROWS = 10_000
/** A day, as is promised for idempotency keys, and an hour by which the wall clock may be set meanwhile. */
const KEEP_KEYS_MS = 25 * 3_600_000

export interface CallLogInit {
  /** While it is full nothing is written: what is left is for others. */
  disk?: { readonly isFull: boolean } | undefined
  clock?: Clock
  /** Calls without an idempotency key that are kept after their end. @default 10_000 */
  maxRows?: number
  /** The same with one, however old. @default 500_000 */
  maxKeyedRows?: number
  /** Rows that one `prune()` removes at most: about 10 ms. @default 2_000 */
  pruneRows?: number
}

/** The log in a database; `synchronous: 'normal'` is enough, the provider's journal has the last word. */
export function createCallLog(database: Database, init: CallLogInit = {}): CallLog {
  const { disk, clock = systemClock, maxRows = MAX_ROWS, maxKeyedRows = 500_000, pruneRows = 2_000 } = init
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
    findByKey: select('WHERE key = ? ORDER BY rowid DESC LIMIT 1'),
    recent: select('ORDER BY rowid DESC LIMIT ?'),
    running: select(`WHERE state = 'running' ORDER BY started_at`),
    forgetOld: database.prepare(
      `DELETE FROM calls WHERE rowid IN
         (SELECT rowid FROM calls WHERE key IS NULL AND state <> 'running' AND rowid <=
            (SELECT rowid FROM calls WHERE key IS NULL ORDER BY rowid DESC LIMIT 1 OFFSET ?)
          ORDER BY rowid LIMIT ?)`,
    ),
    forgetKeys: database.prepare(
      `DELETE FROM calls WHERE rowid IN
         (SELECT rowid FROM calls WHERE key IS NOT NULL AND state <> 'running' AND started_at <= max(?,
            coalesce((SELECT started_at FROM calls WHERE key IS NOT NULL
                      ORDER BY started_at DESC LIMIT 1 OFFSET ?), 0))
          ORDER BY started_at LIMIT ?)`,
    ),
  }
  /** Noted since the last tick, and before it: to be written at the next one, unless the call ends till then. */
  let noted = new Map<string, LoggedCall>()
  let waiting = new Map<string, LoggedCall>()
  /** The newest calls of which nothing was written before they ended, and how many of them are to be written. */
  const ended = createNewest<LoggedCall>(MAX_ROWS)
  let fresh = 0
  /** Calls that are in the database as running. */
  const begun = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let endedTimer: NodeJS.Timeout | undefined
  /** What the disk did not take. */
  const refused = new Map<string, LoggedCall>()
  let retryTimer: NodeJS.Timeout | undefined

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
  const write = (records: readonly LoggedCall[]): void => {
    if (disk?.isFull === true) return hold(records)
    const all = [...refused.values(), ...records]
    if (all.length === 0) return
    refused.clear()
    database.write(() => all.forEach(run)).catch(() => hold(all))
  }
  const hold = (records: readonly LoggedCall[]): void => {
    for (const record of records) {
      if (refused.get(record.id)?.endedAt === undefined) refused.set(record.id, record)
    }
    for (const id of [...refused.keys()].slice(0, -MAX_ROWS)) refused.delete(id)
    if (refused.size > 0) retryTimer ??= setTimeout(retry, RETRY_MS)
  }
  const retry = (): void => {
    retryTimer = undefined
    write([])
  }
  const tick = (): void => {
    const due = [...waiting.values()]
    waiting = noted
    noted = new Map()
    timer = waiting.size === 0 ? undefined : setTimeout(tick, NOTE_DELAY_MS)
    for (const { id, state } of due) if (state === 'running') begun.add(id)
    write(due)
  }
  const writeEnded = (): void => {
    endedTimer = undefined
    const records = ended.latest(Math.min(fresh, MAX_ENDED_ROWS))
    fresh = 0
    write(records)
  }
  /** With those that were never written. */
  const withRemembered = (rows: readonly LoggedCall[], limit: number): LoggedCall[] => {
    const found = new Map(rows.map((row) => [row.id, row]))
    for (const record of refused.values()) found.set(record.id, record)
    for (const record of ended.latest(limit)) found.set(record.id, record)
    return [...found.values()].sort((one, other) => other.startedAt - one.startedAt).slice(0, limit)
  }
  /** Makes all notes visible to SQL, unless the disk is full. */
  const writeNotes = (): void => {
    clearTimeout(endedTimer)
    writeEnded()
    while (waiting.size > 0 || noted.size > 0) {
      clearTimeout(timer)
      tick()
    }
  }

  return {
    async put(record) {
      if (disk?.isFull === true) throw diskFull(database.file)
      writeNotes()
      if (record.state === 'running') begun.add(record.id)
      else begun.delete(record.id)
      await database.write(() => run(record))
    },
    note(record) {
      const { id, state } = record
      if (state === 'running' || begun.delete(id)) {
        if (waiting.has(id)) waiting.set(id, record)
        else noted.set(id, record)
        timer ??= setTimeout(tick, NOTE_DELAY_MS)
        return
      }
      noted.delete(id)
      waiting.delete(id)
      ended.add(record)
      fresh += 1
      endedTimer ??= setTimeout(writeEnded, ENDED_DELAY_MS)
    },
    find: (id) =>
      noted.get(id) ??
      waiting.get(id) ??
      refused.get(id) ??
      optional(sql.find.get(id)) ??
      ended.find((call) => call.id === id),
    findByKey(key) {
      writeNotes()
      const found = optional(sql.findByKey.get(key))
      return found === undefined ? undefined : (refused.get(found.id) ?? found)
    },
    recent(limit) {
      writeNotes()
      return withRemembered(sql.recent.all(limit).map(recordOf), limit)
    },
    running() {
      writeNotes()
      const rows = new Map(sql.running.all().map((row) => [row['id'], recordOf(row)]))
      for (const [id, record] of refused) {
        if (record.endedAt === undefined) rows.set(id, record)
        else rows.delete(id)
      }
      return [...rows.values()].sort((one, other) => one.startedAt - other.startedAt)
    },
    [Symbol.dispose]() {
      writeNotes()
      clearTimeout(retryTimer)
      // The last chance: what does not fit is lost, as notes may be.
      if (refused.size > 0) database.write(() => refused.forEach(run)).catch(() => undefined)
    },
    prune: () =>
      database.transaction(() => {
        const old = sql.forgetOld.run(maxRows, pruneRows)
        const keys = sql.forgetKeys.run(clock.now() - KEEP_KEYS_MS, maxKeyedRows, pruneRows)
        return [old, keys].some(({ changes }) => Number(changes) === pruneRows)
      }),
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
