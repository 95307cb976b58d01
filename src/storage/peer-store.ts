import type { Database } from './database.ts'

/** What is kept of other devices: their newest signed adverts, and whom the owner has blocked. */
export interface PeerStore {
  load(): { peerId: string; bytes: Uint8Array }[]
  save(peerId: string, signed: { bytes: Uint8Array }): void
  remove(peerId: string): void
  blocked(): string[]
  /** @throws `storage_failed` */
  setBlocked(peerId: string, blocked: boolean): void
}

export interface PeerStoreInit {
  /** While it is full no advert is written: what is left is for others. */
  disk: { readonly isFull: boolean }
  /** An advert could not be written; it is known until the daemon ends. */
  onFailure: (error: unknown) => void
}

export function createPeerStore(database: Database, { disk, onFailure }: PeerStoreInit): PeerStore {
  const sql = {
    load: database.prepare('SELECT peer_id, advert FROM adverts'),
    save: database.prepare(
      'INSERT INTO adverts (peer_id, advert) VALUES (?, ?) ON CONFLICT (peer_id) DO UPDATE SET advert = excluded.advert',
    ),
    remove: database.prepare('DELETE FROM adverts WHERE peer_id = ?'),
    blocked: database.prepare('SELECT peer_id FROM blocked_peers'),
    block: database.prepare('INSERT INTO blocked_peers (peer_id) VALUES (?) ON CONFLICT DO NOTHING'),
    unblock: database.prepare('DELETE FROM blocked_peers WHERE peer_id = ?'),
  }
  return {
    load: () =>
      sql.load.all().map((row) => ({ peerId: row['peer_id'] as string, bytes: row['advert'] as Uint8Array })),
    save(peerId, { bytes }) {
      if (!disk.isFull) database.write(() => sql.save.run(peerId, bytes)).catch(onFailure)
    },
    remove(peerId) {
      if (!disk.isFull) database.write(() => sql.remove.run(peerId)).catch(onFailure)
    },
    blocked: () => sql.blocked.all().map((row) => row['peer_id'] as string),
    setBlocked: (peerId, blocked) =>
      void database.transaction(() => (blocked ? sql.block : sql.unblock).run(peerId)),
  }
}
