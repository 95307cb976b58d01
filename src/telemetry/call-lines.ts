import type { ErrorData } from '../errors/error.ts'
import type { CallState } from '../model/call.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { createRateLimit } from '../util/rate-limit.ts'
import type { Logger } from './logger.ts'

/** How a call ended, as far as the log tells. */
export interface CallLineEnd {
  state: CallState
  durationMs: number
  /** Only its reason is written: messages of functions may quote their arguments. */
  error: Pick<ErrorData, 'reason'> | undefined
}

export type LogCall = (
  id: string,
  fn: string,
  role: 'caller' | 'provider',
  peerId: string | undefined,
  end: CallLineEnd,
) => void

/** A busy device writes this many lines a second; the others are counted. */
const LINES_PER_SECOND = 10
const BURST = 50

/** Writes a line for every call that ended, as long as there are not too many. */
export function createCallLines(logger: Logger, clock: Clock = systemClock): LogCall {
  const limit = createRateLimit({ perSecond: LINES_PER_SECOND, burst: BURST, maxSources: 1, clock })
  let notLogged = 0
  return (id, fn, role, peerId, { state, durationMs, error }) => {
    if (!limit.take('')) {
      notLogged += 1
      return
    }
    const missing = notLogged === 0 ? {} : { notLogged }
    const rounded = Math.round(durationMs * 10) / 10
    logger.info(
      { id, fn, role, peerId, state, durationMs: rounded, reason: error?.reason, ...missing },
      'call ended',
    )
    notLogged = 0
  }
}
