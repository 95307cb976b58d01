import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const CHECKOUT = resolve(import.meta.dirname, '../..')
/** Kept in the folder, so that another process can stop the mesh. */
const LIST = 'processes.json'
const POLL_MS = 20
const KILL_AFTER_MS = 8_000

/** A program of bin/ that runs in the background. */
export interface Background {
  stdout(): string
  /** Throws, with the end of its log, once it has ended. */
  assertAlive(): void
}

/** Starts a program of bin/; it outlives this process, and is stopped by {@link stopProcesses}. */
export function startProcess(
  folder: string,
  title: string,
  program: 'easynet' | 'easynetd',
  args: string[],
): Background {
  const outFile = join(folder, `${title}.out`)
  const logFile = join(folder, `${title}.log`)
  const [out, log] = [openSync(outFile, 'w'), openSync(logFile, 'w')]
  const child = spawn(join(CHECKOUT, 'bin', program), args, {
    cwd: CHECKOUT,
    // The settings of whoever runs the demo must not reach its daemons.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^EASYNET_(?!PYTHON$)/.test(name)),
    ),
    detached: true,
    stdio: ['ignore', out, log],
  })
  closeSync(out)
  closeSync(log)
  let ended: string | undefined
  child.on('error', (error) => (ended = error.message))
  child.on('exit', (code, signal) => (ended = `it ended with ${code ?? signal}`))
  child.unref()
  if (child.pid !== undefined)
    writeFileSync(join(folder, LIST), JSON.stringify([...listed(folder), child.pid]))
  return {
    stdout: () => readFileSync(outFile, 'utf8'),
    assertAlive() {
      if (ended === undefined) return
      const tail = readFileSync(logFile, 'utf8').trim().split('\n').slice(-8).join('\n')
      throw new Error(`${title} did not stay up: ${ended}.\n${tail}`)
    },
  }
}

/** Calls `check` until it returns something, and fails when one of `needed` ends or it takes too long. */
export async function waitFor<T>(
  what: string,
  needed: readonly Background[],
  signal: AbortSignal,
  check: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (const giveUpAt = performance.now() + 30_000; performance.now() < giveUpAt;) {
    const found = await check()
    if (found !== undefined) return found
    for (const process of needed) process.assertAlive()
    await sleep(POLL_MS, undefined, { signal })
  }
  throw new Error(`${what} took longer than 30 s.`)
}

/** Ends every process that was started for this folder: first those that serve files, then the daemons. */
export async function stopProcesses(folder: string): Promise<void> {
  const pids = listed(folder).reverse()
  for (const pid of pids) kill(pid, 'SIGTERM', folder)
  const killAt = performance.now() + KILL_AFTER_MS
  while (pids.some((pid) => isOurs(pid, folder))) {
    if (performance.now() > killAt) for (const pid of pids) kill(pid, 'SIGKILL', folder)
    await sleep(POLL_MS)
  }
}

export function isDemoFolder(folder: string): boolean {
  return existsSync(join(folder, LIST))
}

function listed(folder: string): number[] {
  return isDemoFolder(folder) ? (JSON.parse(readFileSync(join(folder, LIST), 'utf8')) as number[]) : []
}

function kill(pid: number, signal: NodeJS.Signals, folder: string): void {
  if (isOurs(pid, folder)) process.kill(pid, signal)
}

/** Process ids are used again: ours has the folder in its command line. */
function isOurs(pid: number, folder: string): boolean {
  try {
    process.kill(pid, 0)
    const command =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
    return command.includes(folder)
  } catch {
    // It is gone, or it is not ours to signal.
    return false
  }
}
