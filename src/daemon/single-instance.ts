import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { closeSync, openSync, statSync } from 'node:fs'
import { EasyNetError } from '../errors/error.ts'
import type { Home } from '../util/home.ts'
import { toStorageError } from '../storage/storage-error.ts'
import { readDaemonFile } from './daemon-file.ts'

/** Long enough for a killed predecessor to be gone. */
const WAIT_MS = 200
const SQLITE_BUSY = 5

/**
 * Makes this process the only daemon of its home until it is disposed or ends, however it ends.
 *
 * Node has no file locks, but SQLite has: an exclusive transaction on a file of its own, which the
 * system releases with the process.
 *
 * @throws {@link EasyNetError} `already_running` with pid and url of the other one, `storage_failed`
 */
export function lockHome(home: Home): Disposable {
  const file = join(home.stateDir, 'easynet.lock.db')
  closeSync(openSync(file, 'a', 0o600))
  const lock = new DatabaseSync(file, { timeout: WAIT_MS })
  try {
    // SQLite begins an empty file when it locks it, which a full disk refuses.
    if (statSync(file).size === 0) lock.exec('PRAGMA user_version = 1')
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    return { [Symbol.dispose]: () => lock.close() }
  } catch (error) {
    lock.close()
    throw (error as { errcode?: number }).errcode === SQLITE_BUSY
      ? alreadyRunning(home, error)
      : toStorageError(file, error)
  }
}

function alreadyRunning(home: Home, cause: unknown): EasyNetError {
  const other = readDaemonFile(home.daemonFile)
  const who =
    other === undefined ? 'It is just starting or stopping' : `It is pid ${other.pid} at ${other.url}`
  return new EasyNetError('already_running', `A daemon runs on ${home.stateDir} already. ${who}.`, {
    hint: 'Use it (easynet status), stop it (easynet down), or start another one with --home DIR.',
    details: { stateDir: home.stateDir, ...(other === undefined ? {} : { pid: other.pid, url: other.url }) },
    cause,
  })
}
