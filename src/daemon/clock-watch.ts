import type { Logger } from '../telemetry/logger.ts'
import type { PeerTable } from '../topology/peer-table.ts'
import type { Clock } from '../util/clock.ts'

export interface ClockWatchComponents {
  clock: Clock
  table: Pick<PeerTable, 'list'>
  logger: Logger
  /** The wall clock was set by so many ms, or the device slept for as long. */
  onSet: (byMs: number) => void
}

const INTERVAL_MS = 1_000
/** Smaller steps are a clock that is being corrected, or a process that was busy between two readings. */
const MIN_STEP_MS = 1_000
/** A smaller difference is of no importance to anybody. */
const MAX_DIFFERENCE_MS = 60_000
/** A difference that comes and goes is told no more often than this. */
const TELL_INTERVAL_MS = 10 * 60_000

/**
 * Notices when the wall clock of this device is set while it runs, and when it differs from the clocks of
 * the connected peers. No call depends on wall clocks; people who read logs and histories do.
 */
export function createClockWatch({ clock, table, logger, onSet }: ClockWatchComponents): Disposable {
  let offset = clock.now() - clock.monotonic()
  let isDifferent = false
  let toldAt = -Infinity

  const compare = (): void => {
    const differences = table
      .list()
      .flatMap(({ connected, clockAheadMs }) =>
        connected && clockAheadMs !== undefined ? [clockAheadMs] : [],
      )
    const aheadMs = Math.round(median(differences) ?? 0)
    const facts = { peersAheadMs: aheadMs, peers: differences.length }
    if (Math.abs(aheadMs) <= MAX_DIFFERENCE_MS) {
      if (isDifferent) logger.info(facts, 'the clocks of the connected peers agree with ours')
      isDifferent = false
      return
    }
    if (isDifferent || clock.monotonic() - toldAt < TELL_INTERVAL_MS) return
    isDifferent = true
    toldAt = clock.monotonic()
    logger.warn(facts, 'the clocks of the connected peers differ from ours')
  }
  const timer = setInterval(() => {
    const current = clock.now() - clock.monotonic()
    const byMs = Math.round(current - offset)
    offset = current
    if (Math.abs(byMs) >= MIN_STEP_MS) {
      logger.warn({ byMs }, 'the clock of this device was set, or the device slept')
      onSet(byMs)
    }
    compare()
  }, INTERVAL_MS)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Undefined for none. One liar among several cannot move it. */
export function median(numbers: readonly number[]): number | undefined {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}
