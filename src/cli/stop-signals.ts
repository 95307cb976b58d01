import { constants } from 'node:os'
import { EasyNetError } from '../errors/error.ts'
import { EXIT } from './exit-codes.ts'

/** Ctrl-C, a supervisor or `kill`, and a terminal that was closed. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Aborts at the first signal that asks this process to stop, so that what it has begun is cancelled. */
export function listenForStop(): AbortSignal {
  const stopped = new AbortController()
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      // A second Ctrl-C does not wait for anything. A closed terminal may well say so twice.
      if (stopped.signal.aborted && signal !== 'SIGHUP') process.exit(stopCodeOf(stopped.signal))
      stopped.abort(new EasyNetError('cancelled', 'The command was stopped.', { details: { signal } }))
    })
  }
  return stopped.signal
}

/** 130, 143 or 129, as shells count: 128 and the number of the signal. */
export function stopCodeOf(stopped: AbortSignal): number {
  const reason: unknown = stopped.reason
  const name = reason instanceof EasyNetError ? reason.details?.['signal'] : undefined
  const known = STOP_SIGNALS.find((signal) => signal === name)
  return known === undefined ? EXIT.interrupted : 128 + constants.signals[known]
}
