import { type ErrorData, EasyNetError } from '../errors/error.ts'
import type { StatementSync } from 'node:sqlite'
import { type Clock, systemClock } from '../util/clock.ts'
import type { Database } from './database.ts'
import { diskFull } from './disk-reserve.ts'

/** `interrupted`: it had started in an earlier life of this daemon and was cut off. */
export type ExecutionState = 'started' | 'done' | 'failed' | 'interrupted'

export interface ExecutionEntry {
  /** Peer id of the device that asked. */
  caller: string
  /** The call's id, unique per caller. */
  id: string
  /** Name of the function. */
  fn: string
}

export type ExecutionOutcome =
  /** @param result - the encoded result; kept only when it is small enough */
  { state: 'done'; result?: Uint8Array } | { state: 'failed' | 'interrupted'; error: ErrorData }

export interface ExecutionRecord extends ExecutionEntry {
  state: ExecutionState
  startedAt: number
  endedAt?: number
  /** Absent when it was too large to keep or its time is over; `state` still says that it is done. */
  result?: Uint8Array
  error?: ErrorData
  /** Which start of the daemon ran it. */
  bootId: string
}

export interface ExecutionJournalInit {
  /** Different at every start of the daemon. */
  bootId: string
  clock?: Clock
  /** While it is full nothing is started: what is left is for the ends of what runs, without results. */
  disk?: { readonly isFull: boolean } | undefined
  /** How often the disk is asked again to take the ends that it has refused. @default 1_000 */
  retryMs?: number
  /** How long a result is kept after the end, for a caller that comes back for it. @default 600_000 */
  keepMs?: number
  /** How long it is remembered that the call ran, so that it never runs twice. @default 86_400_000 */
  keepStateMs?: number
  /** Larger results are not kept. @default 262_144 */
  maxResultBytes?: number
  /** All results together; further ones are not kept until older ones went. @default 268_435_456 */
  maxKeptBytes?: number
  /** Calls remembered; beyond it the oldest ended ones are forgotten early. @default 500_000 */
  maxRows?: number
  /** Rows that one `prune()` changes at most: about 10 ms. @default 2_000 */
  pruneRows?: number
}

/**
 * What this device has run for others, so that a call runs at most once and a caller that comes back
 * learns how it ended. Every promise resolves after the change is safe from a crash and a power cut.
 */
export interface ExecutionJournal extends Disposable {
  /**
   * Resolves with `'started'` when the call may run now, or with what is known of the same call.
   *
   * @throws `storage_failed`: then it must not run
   */
  start(entry: ExecutionEntry): Promise<'started' | ExecutionRecord>
  /**
   * @throws `unknown_call` when it was not started or has ended already; `storage_failed` when the disk
   * refuses it: then `find` knows it all the same, and it is written as soon as that works
   */
  finish(caller: string, id: string, outcome: ExecutionOutcome): Promise<void>
  find(caller: string, id: string): ExecutionRecord | undefined
  /** True when a call that is not found, and would be no older than `ageMs`, has surely never started here. */
  remembers(ageMs: number): boolean
  /**
   * Call once at the start: what an earlier boot had started and not ended becomes `interrupted`.
   *
   * @returns how many
   */
  recover(): number
  /** Forgets a part of what is beyond the limits. True when there is more: call it again in a moment. */
  prune(): boolean
  /** Tries once more to write what the disk has refused. */
  [Symbol.dispose](): void
}

/** So much less than is kept is promised: the wall clock may be set meanwhile. */
const CLOCK_MARGIN_MS = 3_600_000

/** The journal in a database opened with `synchronous: 'full'`. */
export function createExecutionJournal(database: Database, init: ExecutionJournalInit): ExecutionJournal {
  const clock = init.clock ?? systemClock
  const keepMs = init.keepMs ?? 600_000
  const keepStateMs = Math.max(init.keepStateMs ?? 86_400_000, keepMs)
  const maxResultBytes = init.maxResultBytes ?? 262_144
  const maxKeptBytes = init.maxKeptBytes ?? 268_435_456
  const maxRows = init.maxRows ?? 500_000
  const pruneRows = init.pruneRows ?? 2_000

  const sql = {
    find: database.prepare('SELECT * FROM executions WHERE caller = ? AND id = ?'),
    insert: database.prepare(
      `INSERT INTO executions (caller, id, fn, state, started_at, boot_id)
       VALUES (?, ?, ?, 'started', ?, ?) ON CONFLICT DO NOTHING`,
    ),
    end: database.prepare(
      `UPDATE executions SET state = ?, ended_at = ?, result = ?, error = ?
       WHERE caller = ? AND id = ? AND state = 'started'`,
    ),
    recover: database.prepare(
      `UPDATE executions SET state = 'interrupted', ended_at = ? WHERE state = 'started' AND boot_id <> ?`,
    ),
    forgetResult: database.prepare('UPDATE executions SET result = NULL WHERE seq = ?'),
    forgetRow: database.prepare('DELETE FROM executions WHERE seq = ?'),
    oldResults: database.prepare(
      `SELECT seq, length(result) AS bytes FROM executions
       WHERE result IS NOT NULL AND ended_at < ? ORDER BY ended_at LIMIT ?`,
    ),
    oldRows: database.prepare(
      'SELECT seq, length(result) AS bytes FROM executions WHERE ended_at < ? ORDER BY ended_at LIMIT ?',
    ),
    excessRows: database.prepare(
      `SELECT seq, length(result) AS bytes, started_at, boot_id FROM executions
       WHERE state <> 'started' AND seq <= (SELECT max(seq) FROM executions) - ? ORDER BY seq LIMIT ?`,
    ),
    keptBytes: database.prepare(
      'SELECT total(length(result)) AS sum FROM executions WHERE result IS NOT NULL',
    ),
    forgotten: database.prepare('SELECT until FROM forgotten'),
    setForgotten: database.prepare(
      'INSERT INTO forgotten VALUES (1, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)',
    ),
  }
  let keptBytes = Number(sql.keptBytes.get()?.['sum'])
  /** How far the wall clock was ahead of the monotonic one, at least, since this boot. */
  let leastOffset = Infinity
  const noteOffset = (): void => {
    leastOffset = Math.min(leastOffset, clock.now() - clock.monotonic())
  }
  /** When that was on our monotonic clock, at the latest. @param ofThisBoot - an earlier clock is not known */
  const monotonicOf = (wall: number, ofThisBoot: boolean): number =>
    wall - leastOffset + (ofThisBoot ? 0 : CLOCK_MARGIN_MS)
  noteOffset()
  const forgottenBefore = sql.forgotten.get()?.['until'] as number | undefined
  /** On the monotonic clock: of calls that started until then, rows were given up before their time. */
  let forgottenUntil = forgottenBefore === undefined ? -Infinity : monotonicOf(forgottenBefore, false)

  /** Ends that the disk has refused. As many as there were calls running at that time. */
  const refused = new Map<string, { caller: string; id: string; outcome: ExecutionOutcome }>()
  let retry: NodeJS.Timeout | undefined

  const find = (caller: string, id: string): ExecutionRecord | undefined => {
    const row = sql.find.get(caller, id)
    if (row === undefined) return undefined
    return { ...recordOf(row), ...refused.get(`${caller} ${id}`)?.outcome }
  }
  const resultToKeep = (outcome: ExecutionOutcome): Uint8Array | null => {
    if (outcome.state !== 'done' || outcome.result === undefined || init.disk?.isFull === true) return null
    const size = outcome.result.length
    return size > maxResultBytes || keptBytes + size > maxKeptBytes ? null : outcome.result
  }
  const end = (caller: string, id: string, outcome: ExecutionOutcome): void => {
    const result = resultToKeep(outcome)
    const error = outcome.state === 'done' ? null : JSON.stringify(outcome.error)
    const { changes } = sql.end.run(outcome.state, clock.now(), result, error, caller, id)
    if (Number(changes) === 0) throw notRunning(id)
    keptBytes += result?.length ?? 0
  }
  const writeRefused = (): void => {
    clearTimeout(retry)
    retry = undefined
    try {
      database.transaction(() => {
        for (const { caller, id, outcome } of refused.values()) end(caller, id, outcome)
      })
      refused.clear()
    } catch {
      // Still no room: whoever waits has heard of it.
      retryLater()
    }
  }
  const retryLater = (): void => {
    retry ??= setTimeout(writeRefused, init.retryMs ?? 1_000).unref()
  }

  return {
    find,
    async start({ caller, id, fn }) {
      if (init.disk?.isFull === true) throw diskFull(database.file)
      return database.write(() => {
        noteOffset()
        const { changes } = sql.insert.run(caller, id, fn, clock.now(), init.bootId)
        if (Number(changes) === 1) return 'started'
        return find(caller, id) as ExecutionRecord
      })
    },
    async finish(caller, id, outcome) {
      const write = async (): Promise<void> => database.write(() => end(caller, id, outcome))
      try {
        // The first failure of a full disk has made room for such as this.
        await write().catch((error: unknown) => (isStorageFailure(error) ? write() : Promise.reject(error)))
      } catch (error) {
        if (isStorageFailure(error)) {
          refused.set(`${caller} ${id}`, { caller, id, outcome })
          retryLater()
        }
        throw error
      }
    },
    recover: () => Number(database.transaction(() => sql.recover.run(clock.now(), init.bootId)).changes),
    remembers: (ageMs) =>
      ageMs <= keepStateMs - CLOCK_MARGIN_MS && clock.monotonic() - ageMs > forgottenUntil,
    prune() {
      const now = clock.now()
      let freedBytes = 0
      let until = forgottenUntil
      noteOffset()
      const forget = (rows: Row[], statement: StatementSync): boolean => {
        for (const row of rows) statement.run(row['seq'] as number)
        freedBytes += rows.reduce((sum, row) => sum + Number(row['bytes']), 0)
        return rows.length === pruneRows
      }
      const hasMore = database.transaction(() => {
        const excess = sql.excessRows.all(maxRows, pruneRows)
        const startedAt = excess.map((row) => row['started_at'] as number)
        for (const [index, row] of excess.entries())
          until = Math.max(until, monotonicOf(startedAt[index] ?? 0, row['boot_id'] === init.bootId))
        if (excess.length > 0) sql.setForgotten.run(Math.max(...startedAt))
        return [
          forget(excess, sql.forgetRow),
          forget(sql.oldRows.all(now - keepStateMs, pruneRows), sql.forgetRow),
          forget(sql.oldResults.all(now - keepMs, pruneRows), sql.forgetResult),
        ].includes(true)
      })
      keptBytes -= freedBytes
      forgottenUntil = until
      return hasMore
    },
    [Symbol.dispose]() {
      if (refused.size > 0) writeRefused()
      clearTimeout(retry)
    },
  }
}

function isStorageFailure(error: unknown): boolean {
  return error instanceof EasyNetError && error.reason === 'storage_failed'
}

type Row = Record<string, unknown>

function recordOf(row: Row): ExecutionRecord {
  return {
    caller: row['caller'] as string,
    id: row['id'] as string,
    fn: row['fn'] as string,
    state: row['state'] as ExecutionState,
    startedAt: row['started_at'] as number,
    bootId: row['boot_id'] as string,
    ...(row['ended_at'] === null ? {} : { endedAt: row['ended_at'] as number }),
    ...(row['result'] === null ? {} : { result: row['result'] as Uint8Array }),
    ...(row['error'] === null ? {} : { error: JSON.parse(row['error'] as string) as ErrorData }),
  }
}

function notRunning(id: string): EasyNetError {
  return new EasyNetError('unknown_call', `The journal has no running call ${id}.`)
}
