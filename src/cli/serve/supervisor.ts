import { randomUUID } from 'node:crypto'
import type { FunctionView } from '../../model/views.ts'
import { superviseGroup } from '../../sdk/supervise.ts'
import { EXIT_UNUSABLE } from '../../sdk/serve-host.ts'
import { onAbort, sleep } from '../../util/signals.ts'
import type { Cli } from '../cli.ts'
import { formatDuration } from '../duration.ts'
import { type ServingChild, startChild } from './child.ts'
import { watchFolder } from './watch.ts'

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 30_000
/** A process that ran this long had started well: the next failure is a new one. */
const HEALTHY_AFTER_MS = 30_000
const REGISTER_TIMEOUT_MS = 5_000
const POLL_MS = 100

export interface SuperviseOptions {
  watch: boolean
  /** Called with the functions that the file offers, once they are there. */
  onServing: (file: string, functions: FunctionView[]) => void
}

/**
 * Keeps one file served: starts its process, again when it ends, and ends it when the daemon asks for
 * that. Resolves when `cli.signal` aborts, or with false when the file cannot be served.
 */
export async function superviseFile(cli: Cli, file: string, options: SuperviseOptions): Promise<boolean> {
  const { t, out, signal } = cli
  const group = randomUUID()
  let child: ServingChild | undefined
  let restarting = false
  const restart = (message: string): void => {
    restarting = true
    out.note(message)
    child?.kill()
  }
  await using daemon = await superviseGroup({
    target: cli.target,
    group,
    kill: () => restart(t('serve.killed', { file })),
    onDisconnect: () => out.note(t('serve.lost')),
    onReconnect: () => out.note(t('serve.back')),
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
    const before = announced ? [] : await daemon.functions()
    restarting = false
    const startedAt = performance.now()
    child = startChild(file, env)
    const unlinkChild = onAbort(signal, () => void child?.stop())
    if (!announced) {
      const found = await waitForFunctions(before, daemon.functions, child, signal)
      announced = found.length > 0
      if (announced) options.onServing(file, found)
      else if (!signal.aborted && (await isRunning(child))) out.note(t('serve.slow', { file }))
    }
    const how = await child.exited
    unlinkChild()
    if (signal.aborted) break
    if (restarting) continue
    if (how === EXIT_UNUSABLE && changes === undefined) {
      out.note(t('serve.unusable', { file }))
      return false
    }
    if (how === EXIT_UNUSABLE) {
      out.note(t('serve.fixAndWait', { file }))
      await changes?.next(signal)
      continue
    }
    if (performance.now() - startedAt > HEALTHY_AFTER_MS) delayMs = FIRST_DELAY_MS
    out.note(t('serve.ended', { file, how, delay: formatDuration(delayMs) }))
    await sleep(delayMs, signal).catch(() => undefined)
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)
  }
  unlink()
  return true
}

/** The functions that were not there before; none when the process ended or took too long. */
async function waitForFunctions(
  before: readonly FunctionView[],
  functions: () => Promise<FunctionView[]>,
  child: ServingChild,
  signal: AbortSignal,
): Promise<FunctionView[]> {
  const known = new Set(before.map(({ name }) => name))
  let found: FunctionView[] = []
  for (const until = performance.now() + REGISTER_TIMEOUT_MS; performance.now() < until;) {
    const now = (await functions()).filter(({ name }) => !known.has(name))
    // Twice the same: a file may register one after the other.
    if (now.length > 0 && now.length === found.length) return now
    found = now
    if (signal.aborted || !(await isRunning(child))) return []
    await sleep(POLL_MS, signal).catch(() => undefined)
  }
  return found
}

async function isRunning(child: ServingChild): Promise<boolean> {
  return (await Promise.race([child.exited, Promise.resolve('running')])) === 'running'
}
