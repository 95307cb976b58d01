import { abortReason, createDeadline, sleep } from '../util/signals.ts'
import type { ProviderDirectory } from './ports.ts'

const FIRST_PAUSE_MS = 100
const LAST_PAUSE_MS = 2_000

/**
 * Waits before something is tried again: 100 ms the first time, then twice as long each time, up to 2 s; not
 * longer than until a provider of the function comes, but 100 ms all the same, so that nobody who comes and
 * goes makes us try without end.
 *
 * @param before - pauses that were made before this one
 * @throws the signal's reason
 */
export async function pause(
  { nextProvider }: Pick<ProviderDirectory, 'nextProvider'>,
  fn: string,
  before: number,
  signal: AbortSignal,
): Promise<void> {
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** before, LAST_PAUSE_MS)
  using rest = createDeadline(pauseMs, signal)
  await Promise.all([nextProvider(fn, rest.signal), sleep(FIRST_PAUSE_MS, signal)])
  if (signal.aborted) throw abortReason(signal)
}
