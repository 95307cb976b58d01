// Each entry brings a database from version `index` to `index + 1`. Entries are only ever appended:
// databases of every earlier release have to pass through them.

/** `easynet.db`: what may be lost in a power cut (known peers, history), never in a crash. */
export const MAIN_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE datastore (
    key BLOB PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
  ) STRICT;
  CREATE TABLE calls (
    id TEXT PRIMARY KEY NOT NULL,
    fn TEXT NOT NULL,
    key TEXT,
    peer_id TEXT,
    peer_name TEXT,
    state TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    error TEXT
  ) STRICT;
  CREATE INDEX calls_by_key ON calls (key, started_at) WHERE key IS NOT NULL;
  CREATE INDEX calls_by_start ON calls (started_at);
  CREATE INDEX calls_running ON calls (started_at) WHERE state = 'running';
  CREATE TABLE adverts (
    peer_id TEXT PRIMARY KEY NOT NULL,
    advert BLOB NOT NULL
  ) STRICT;
  CREATE TABLE blocked_peers (
    peer_id TEXT PRIMARY KEY NOT NULL
  ) STRICT;
  `,
  'ALTER TABLE calls ADD COLUMN digest TEXT',
  'ALTER TABLE calls ADD COLUMN idempotent INTEGER',
  // In the order they came, whatever the wall clock said.
  `
  DROP INDEX calls_by_start;
  CREATE INDEX calls_without_key ON calls (key) WHERE key IS NULL;
  CREATE INDEX calls_with_key ON calls (started_at) WHERE key IS NOT NULL;
  `,
]

/** `journal.db`: what was promised to other devices, so it survives a power cut too. */
export const JOURNAL_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE executions (
    seq INTEGER PRIMARY KEY,
    caller TEXT NOT NULL,
    id TEXT NOT NULL,
    fn TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    result BLOB,
    error TEXT,
    boot_id TEXT NOT NULL,
    UNIQUE (caller, id)
  ) STRICT;
  CREATE INDEX executions_started ON executions (seq) WHERE state = 'started';
  CREATE INDEX executions_by_end ON executions (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX executions_with_result ON executions (ended_at) WHERE result IS NOT NULL;
  `,
  `
  CREATE TABLE forgotten (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    until INTEGER NOT NULL
  ) STRICT;
  `,
]

/** `trust.db`: who belongs to which mesh. Survives a power cut; without it a device has to be invited again. */
export const TRUST_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meshes (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    genesis BLOB NOT NULL,
    rotations BLOB NOT NULL,
    chain BLOB NOT NULL,
    joined_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE revocations (
    mesh BLOB PRIMARY KEY NOT NULL REFERENCES meshes (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    revocations BLOB NOT NULL
  ) STRICT;
  CREATE TABLE device_certificate (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    certificate BLOB NOT NULL
  ) STRICT;
  CREATE TABLE members (
    mesh BLOB NOT NULL REFERENCES meshes (id) ON DELETE CASCADE,
    owner BLOB NOT NULL,
    device BLOB NOT NULL,
    name TEXT NOT NULL,
    chain BLOB NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (mesh, owner, device)
  ) STRICT;
  CREATE TABLE invites (
    key BLOB PRIMARY KEY NOT NULL,
    mesh BLOB NOT NULL REFERENCES meshes (id) ON DELETE CASCADE,
    invite BLOB NOT NULL,
    uses INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    cancelled_at INTEGER
  ) STRICT;
  CREATE TABLE redemptions (
    invite BLOB NOT NULL REFERENCES invites (key) ON DELETE CASCADE,
    newcomer BLOB NOT NULL,
    redemption BLOB NOT NULL,
    answer BLOB NOT NULL,
    redeemed_at INTEGER NOT NULL,
    PRIMARY KEY (invite, newcomer)
  ) STRICT;
  `,
]
