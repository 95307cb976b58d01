import { closeSync, existsSync, fstatSync, openSync, readFileSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { EasyNetError } from '../errors/error.ts'
import type { StatusView } from '../model/views.ts'
import type { DaemonTarget } from '../sdk/find-daemon.ts'
import { findDaemon } from '../sdk/find-daemon.ts'
import { HttpClient } from '../sdk/http-client.ts'
import { startDaemon } from '../sdk/start-daemon.ts'
import { ensurePrivateDir } from '../util/private-files.ts'
import type { Home } from '../util/home.ts'
import { sleep } from '../util/signals.ts'

const READY_TIMEOUT_MS = 30_000
const POLL_MS = 50
/** Of a daemon that ended at once, this much of its log can explain it. */
const TAIL_BYTES = 64 * 1024

/** The status of the daemon that runs; undefined when none does. */
export async function statusOfRunning(
  target: DaemonTarget,
  signal: AbortSignal,
): Promise<StatusView | undefined> {
  try {
    using api = await HttpClient.open(target)
    return await api.status({ signal })
  } catch (error) {
    if (error instanceof EasyNetError && error.reason === 'daemon_unreachable') return undefined
    throw error
  }
}

/**
 * Starts a daemon that outlives this process, with its log in the home's log file, and waits until it serves.
 *
 * @throws {@link EasyNetError} what the daemon said, when it ended before
 */
export async function startInBackground(
  home: Home,
  target: DaemonTarget,
  args: readonly string[],
  signal: AbortSignal,
): Promise<StatusView> {
  ensurePrivateDir(dirname(home.logFile))
  const log = openSync(home.logFile, 'a', 0o600)
  const logStart = fstatSync(log).size
  const root = home.root === undefined ? [] : ['--home', home.root]
  const child = startDaemon({
    // What it says beside its log, such as why it could not start, comes here over stderr.
    args: [...root, '--json', '--log-file', home.logFile, ...args],
    detached: true,
    stdio: ['ignore', 'ignore', log],
  })
  closeSync(log)
  child.unref()
  child.on('error', () => undefined)
  const hasEnded = (): boolean =>
    child.pid === undefined || child.exitCode !== null || child.signalCode !== null
  const giveUpAt = performance.now() + READY_TIMEOUT_MS
  while (performance.now() < giveUpAt && !hasEnded()) {
    if (existsSync(home.daemonFile) && (await findDaemon(target).catch(() => undefined))?.pid === child.pid) {
      const status = await statusOfRunning(target, signal)
      if (status !== undefined) return status
    }
    await sleep(POLL_MS, signal)
  }
  throw startError(home, logStart, hasEnded())
}

function startError(home: Home, logStart: number, ended: boolean): EasyNetError {
  const log = readFileSync(home.logFile).subarray(logStart).subarray(-TAIL_BYTES).toString('utf8')
  const lines = log.trim().split('\n').reverse()
  const refusal = lines.map(errorInLine).find((error) => error !== undefined)
  if (refusal !== undefined) return EasyNetError.fromData(refusal)
  // It had no room even for a word about it.
  if (ended && lines[0] === '' && statfsSync(dirname(home.logFile)).bavail === 0) {
    return new EasyNetError('storage_failed', `The disk that holds ${home.logFile} is full.`, {
      hint: `df -h "${dirname(home.logFile)}"`,
    })
  }
  const options = { hint: 'easynet logs', details: { log: home.logFile } }
  if (!ended) {
    const message = `The daemon was not ready in ${READY_TIMEOUT_MS / 1000} s.`
    return new EasyNetError('daemon_unreachable', message, options)
  }
  const said = lines[0] === '' ? undefined : lines[0]
  const message =
    said === undefined
      ? 'The daemon ended before it was ready.'
      : `The daemon ended before it was ready. It said: ${said}`
  return new EasyNetError('daemon_unreachable', message, options)
}

/** The error that a refused start leaves as the last line, in the form of `--json`. */
function errorInLine(line: string): unknown {
  if (!line.startsWith('{"schema":"error/1"')) return undefined
  try {
    return (JSON.parse(line) as { error: unknown }).error
  } catch {
    // A line that is still being written.
    return undefined
  }
}
