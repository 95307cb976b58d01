import type { CallOutcome } from '../model/call.ts'
import { EasyNetError } from '../errors/error.ts'
import type { Value } from '../model/value.ts'
import type { Deadline } from '../util/signals.ts'

const WAIT_MS = 30_000

/**
 * Asks a provider until it says how a call ended, or the deadline passes. Resolves with the result,
 * rejects with the function's error, `interrupted`, or `outcome_unknown` when nobody could tell in time.
 *
 * @param ask - one question; rejects while the provider cannot be reached
 * @param pause - waits before the next one; gets how many there were
 */
export async function askUntilKnown(
  ask: (waitMs: number) => Promise<CallOutcome>,
  pause: (before: number) => Promise<void>,
  deadline: Deadline,
): Promise<Value> {
  for (let pauses = 0; ; pauses += 1) {
    try {
      const outcome = await ask(Math.min(WAIT_MS, deadline.remainingMs()))
      switch (outcome.state) {
        case 'done':
          return outcome.result
        case 'failed':
          return Promise.reject(outcome.error)
        case 'interrupted':
          return Promise.reject(interrupted())
        case 'never':
          return Promise.reject(neverStarted())
        case 'forgotten':
          return Promise.reject(forgotten())
        case 'running':
          continue
      }
    } catch (error) {
      if (deadline.signal.aborted) throw unknown(deadline, error)
    }
    try {
      await pause(pauses)
    } catch (error) {
      throw unknown(deadline, error)
    }
  }
}

function interrupted(): EasyNetError {
  return new EasyNetError(
    'interrupted',
    'The provider was cut off while the function ran; it did not finish.',
    {
      hint: 'Whether to run it again is for you to decide: what it had done by then stays done.',
    },
  )
}

function neverStarted(): EasyNetError {
  return new EasyNetError('peer_unreachable', 'The connection broke before the call reached the provider.', {
    notStarted: true,
  })
}

function forgotten(): EasyNetError {
  return new EasyNetError('outcome_unknown', 'The provider no longer remembers whether the call ran.')
}

/** A cancel is the caller's own wish and no open question. */
function unknown(deadline: Deadline, cause: unknown): EasyNetError {
  const reason: unknown = deadline.signal.reason
  if (reason instanceof EasyNetError && reason.reason === 'cancelled') return reason
  return new EasyNetError(
    'outcome_unknown',
    'The provider went away while the call ran and has not come back.',
    {
      cause,
      hint: 'Ask again later: easynet task show <call id>',
    },
  )
}
