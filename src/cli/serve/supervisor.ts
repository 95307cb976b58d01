import { randomUUID } from 'node:crypto'
import { EasyNetError } from '../../errors/error.ts'
import type { FunctionView } from '../../model/views.ts'
import { EXIT_UNUSABLE } from '../../sdk/served-module.ts'
import { superviseGroup } from '../../sdk/supervise.ts'
import { onAbort, sleep } from '../../util/signals.ts'
import type { Cli } from '../cli.ts'
import { formatDuration } from '../duration.ts'
import { type ServingChild, startChild } from './child.ts'
import { unusable } from './unusable.ts'
import { watchFolder } from './watch.ts'

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 30_000
/** A process that ran this long had started well: the next failure is a new one. */
const HEALTHY_AFTER_MS = 30_000
const SLOW_AFTER_MS = 5_000
const POLL_MS = 100

export interface SuperviseOptions {
  watch: boolean
  /** Called with the functions that the file offers, once they are there. */
  onServing: (file: string, functions: FunctionView[]) => void
}

/**
 * Keeps one file served: starts its process, again when it ends, and ends it when the daemon asks for
 * that. Resolves when `cli.signal` aborts, or with why the file cannot be served.
 */
export async function superviseFile(
  cli: Cli,
  file: string,
  options: SuperviseOptions,
): Promise<EasyNetError | undefined> {
  const { t, out, signal } = cli
  const group = randomUUID()
  let child: ServingChild | undefined
  let restarting = false
  let daemonIsThere = true
  const restart = (message: string): void => {
    restarting = true
    out.note(message)
    child?.kill()
  }
  await using daemon = await superviseGroup({
    target: cli.target,
    group,
    kill: () => restart(t('serve.killed', { file })),
    onDisconnect() {
      daemonIsThere = false
      out.note(t('serve.lost'))
    },
    onReconnect() {
      daemonIsThere = true
      out.note(t('serve.back'))
    },
  })
  const changes = options.watch ? watchFolder(file) : undefined
  const unlink = onAbort(signal, () => changes?.close())
  changes?.onChange(() => restart(t('serve.changed', { file })))
  const env = {
    ...cli.env,
    EASYNET_GROUP: group,
    ...(cli.home.root === undefined ? {} : { EASYNET_HOME: cli.home.root }),
  }
  let delayMs = FIRST_DELAY_MS
  let announced = false

  while (!signal.aborted) {
    restarting = false
    const startedAt = performance.now()
    child = startChild(file, env)
    const unlinkChild = onAbort(signal, () => void child?.stop())
    if (!announced) {
      const slow = setTimeout(() => out.note(t('serve.slow', { file })), SLOW_AFTER_MS)
      const found = await waitForFunctions(daemon.functions, child, signal)
      clearTimeout(slow)
      announced = found.length > 0
      if (announced) options.onServing(file, found)
    }
    const how = await child.exited
    unlinkChild()
    if (signal.aborted) break
    if (restarting) continue
    // What has never offered anything will not do so the next time either.
    if (how === EXIT_UNUSABLE || (!announced && daemonIsThere)) {
      if (changes === undefined) return unusable(cli, file, how)
      out.note(t('serve.fixAndWait', { file }))
      await changes.next(signal)
      continue
    }
    if (performance.now() - startedAt > HEALTHY_AFTER_MS) delayMs = FIRST_DELAY_MS
    out.note(t('serve.ended', { file, how, delay: formatDuration(delayMs) }))
    await sleep(delayMs, signal).catch(() => undefined)
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)
  }
  unlink()
  return undefined
}

/** What the file offers; nothing when its process ended before it offered anything. */
async function waitForFunctions(
  functions: () => Promise<FunctionView[]>,
  child: ServingChild,
  signal: AbortSignal,
): Promise<FunctionView[]> {
  let found: FunctionView[] = []
  while (true) {
    // A daemon that restarts does not answer for a while.
    const now = await functions().catch(() => found)
    // Twice the same: a file may register one after the other.
    if (now.length > 0 && now.length === found.length) return now
    found = now
    if (signal.aborted || !(await isRunning(child))) return found
    await sleep(POLL_MS, signal).catch(() => undefined)
  }
}

async function isRunning(child: ServingChild): Promise<boolean> {
  return (await Promise.race([child.exited, Promise.resolve('running')])) === 'running'
}
