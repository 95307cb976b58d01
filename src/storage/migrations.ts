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
]
