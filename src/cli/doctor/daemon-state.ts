import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { EasyNetError } from '../../errors/error.ts'
import { type DaemonTarget, findDaemon } from '../../sdk/find-daemon.ts'
import { HttpClient } from '../../sdk/http-client.ts'
import type { Home } from '../../util/home.ts'
import type { DaemonState } from './check.ts'

const ANSWER_TIMEOUT_MS = 3_000
const SQLITE_BUSY = 5

/** Looks for the daemon of `home` and asks it what the checks need. Never fails. */
export async function findDaemonState(home: Home, signal: AbortSignal): Promise<DaemonState> {
  const target: DaemonTarget = home.root === undefined ? {} : { home: home.root }
  const lock = { lockIsHeld: isLocked(join(home.stateDir, 'easynet.lock.db')) }
  const options = { signal, timeoutMs: ANSWER_TIMEOUT_MS }
  let file: DaemonState['file']
  try {
    const { pid = 0, url } = await findDaemon(target)
    file = { pid, url }
    using api = await HttpClient.open(target)
    const [status, peers] = await Promise.all([api.status(options), api.peers(options)])
    return { ...lock, file, status, peers }
  } catch (error) {
    return { ...lock, ...(file === undefined ? {} : { file }), error: EasyNetError.from(error) }
  }
}

/** The daemon keeps an exclusive transaction open on this file: a reader is then refused at once. */
function isLocked(file: string): boolean {
  if (!existsSync(file)) return false
  try {
    using lock = new DatabaseSync(file, { readOnly: true, timeout: 0 })
    lock.prepare('SELECT count(*) FROM sqlite_schema').get()
    return false
  } catch (error) {
    // Any other failure is one of rights, which another check reports.
    return (error as { errcode?: number }).errcode === SQLITE_BUSY
  }
}
