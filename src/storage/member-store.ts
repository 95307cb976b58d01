import { decodeCbor, encodeCbor } from '../util/cbor.ts'
import type { Database } from './database.ts'

/** A device that has proved its membership to us. */
export interface MemberRecord {
  mesh: Uint8Array
  owner: Uint8Array
  /** Device key. */
  device: Uint8Array
  /** What it calls itself. */
  name: string
  /** Its member certificates as it showed them last. */
  chain: readonly Uint8Array[]
  /** Epoch ms. */
  firstSeenAt: number
  lastSeenAt: number
}

/** Members seen per mesh; the one longest unseen is forgotten first. */
const MAX_MEMBERS_SEEN = 10_000

export interface MemberStore {
  list(mesh: Uint8Array): MemberRecord[]
  /** Resolves when it is on disk; nobody has to wait for it. */
  seen(member: Omit<MemberRecord, 'firstSeenAt' | 'lastSeenAt'>, now: number): Promise<void>
}

export function createMemberStore(database: Database): MemberStore {
  const sql = {
    list: database.prepare('SELECT * FROM members WHERE mesh = ? ORDER BY last_seen_at DESC'),
    seen: database.prepare(
      `INSERT INTO members (mesh, owner, device, name, chain, first_seen_at, last_seen_at)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET name = excluded.name, chain = excluded.chain, last_seen_at = excluded.last_seen_at`,
    ),
    forget: database.prepare(
      `DELETE FROM members WHERE rowid IN
       (SELECT rowid FROM members WHERE mesh = ? ORDER BY last_seen_at DESC LIMIT -1 OFFSET ?)`,
    ),
  }
  return {
    list: (mesh) => sql.list.all(mesh).map(recordOf),
    seen: ({ mesh, owner, device, name, chain }, now) =>
      database.write(() => {
        sql.seen.run(mesh, owner, device, name, encodeCbor(chain), now, now)
        sql.forget.run(mesh, MAX_MEMBERS_SEEN)
      }),
  }
}

function recordOf(row: Record<string, unknown>): MemberRecord {
  return {
    mesh: row['mesh'] as Uint8Array,
    owner: row['owner'] as Uint8Array,
    device: row['device'] as Uint8Array,
    name: row['name'] as string,
    chain: decodeCbor(row['chain'] as Uint8Array) as Uint8Array[],
    firstSeenAt: row['first_seen_at'] as number,
    lastSeenAt: row['last_seen_at'] as number,
  }
}
