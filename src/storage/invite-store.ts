import type { Database } from './database.ts'

/** An invite that this device has made. The link's secret is not kept. */
export interface InviteRecord {
  /** Public half of the one-time key. */
  key: Uint8Array
  mesh: Uint8Array
  /** As it was signed. */
  invite: Uint8Array
  uses: number
  /** How many newcomers have used it. */
  used: number
  /** Epoch ms. */
  createdAt: number
  expiresAt: number
  cancelledAt?: number
}

/** `spent`: by others, as often as it may be. */
export type SpendRefusal = 'unknown' | 'spent' | 'cancelled' | 'expired'

export interface SpendInit {
  invite: Uint8Array
  /** Owner key of the newcomer. */
  newcomer: Uint8Array
  /** What it sent. */
  redemption: Uint8Array
  now: number
  /** Signs the answer; called at most once, and only when the use is still free. */
  answer: () => Uint8Array
}

export interface InviteStore {
  create(invite: Omit<InviteRecord, 'used' | 'cancelledAt'>): void
  find(key: Uint8Array): InviteRecord | undefined
  /** Newest first. */
  list(): InviteRecord[]
  /** False when there is none, or it was cancelled before. */
  cancel(key: Uint8Array, now: number): boolean
  /**
   * Uses an invite: one durable transaction, so that after any crash it was either not used, or its answer
   * is kept. The same newcomer gets the same answer again, whatever became of the invite since.
   *
   * @throws `storage_failed`: then nothing was used
   */
  spend(init: SpendInit): { answer: Uint8Array } | { refused: SpendRefusal }
  /** Forgets what ended before `before` (epoch ms). */
  prune(before: number): void
}

/** In a database opened with `synchronous: 'full'`. */
export function createInviteStore(database: Database): InviteStore {
  const columns = `SELECT invites.*, (SELECT count(*) FROM redemptions WHERE invite = key) AS used FROM invites`
  const sql = {
    create: database.prepare(
      'INSERT INTO invites (key, mesh, invite, uses, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    find: database.prepare(`${columns} WHERE key = ?`),
    list: database.prepare(`${columns} ORDER BY created_at DESC, key`),
    cancel: database.prepare('UPDATE invites SET cancelled_at = ? WHERE key = ? AND cancelled_at IS NULL'),
    answer: database.prepare('SELECT answer FROM redemptions WHERE invite = ? AND newcomer = ?'),
    spend: database.prepare(
      'INSERT INTO redemptions (invite, newcomer, redemption, answer, redeemed_at) VALUES (?, ?, ?, ?, ?)',
    ),
    prune: database.prepare('DELETE FROM invites WHERE expires_at < ?'),
  }
  const find = (key: Uint8Array): InviteRecord | undefined => {
    const row = sql.find.get(key)
    return row === undefined ? undefined : recordOf(row)
  }
  const spend = ({
    invite,
    newcomer,
    redemption,
    now,
    answer,
  }: SpendInit): ReturnType<InviteStore['spend']> => {
    const given = sql.answer.get(invite, newcomer)
    if (given !== undefined) return { answer: given['answer'] as Uint8Array }
    const found = find(invite)
    if (found === undefined) return { refused: 'unknown' }
    if (found.cancelledAt !== undefined) return { refused: 'cancelled' }
    if (now >= found.expiresAt) return { refused: 'expired' }
    if (found.used >= found.uses) return { refused: 'spent' }
    const signed = answer()
    sql.spend.run(invite, newcomer, redemption, signed, now)
    return { answer: signed }
  }
  return {
    create: ({ key, mesh, invite, uses, createdAt, expiresAt }) =>
      database.transaction(() => void sql.create.run(key, mesh, invite, uses, createdAt, expiresAt)),
    find,
    list: () => sql.list.all().map(recordOf),
    cancel: (key, now) => database.transaction(() => Number(sql.cancel.run(now, key).changes) === 1),
    spend: (init) => database.transaction(() => spend(init)),
    prune: (before) => database.transaction(() => void sql.prune.run(before)),
  }
}

function recordOf(row: Record<string, unknown>): InviteRecord {
  return {
    key: row['key'] as Uint8Array,
    mesh: row['mesh'] as Uint8Array,
    invite: row['invite'] as Uint8Array,
    uses: row['uses'] as number,
    used: row['used'] as number,
    createdAt: row['created_at'] as number,
    expiresAt: row['expires_at'] as number,
    ...(row['cancelled_at'] === null ? {} : { cancelledAt: row['cancelled_at'] as number }),
  }
}
