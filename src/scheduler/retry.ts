import type { EasyNetError } from '../errors/error.ts'

/**
 * What may follow a failed attempt. `never_started`: refused or not sent, so anybody may run it.
 * `cut_off`: it may have run or half run; only an idempotent function may run again. `final`: the
 * function's own answer, or nothing that another provider could do better.
 */
export type FailureKind = 'never_started' | 'cut_off' | 'final'

/** The reason alone proves nothing: a program can throw any. That nothing ran is said by `notStarted`. */
export function kindOfFailure(error: EasyNetError): FailureKind {
  switch (error.reason) {
    case 'peer_unreachable':
    case 'queue_full':
    case 'too_many_calls':
    case 'draining':
    // It could not note the start, so it did not start.
    case 'storage_failed':
    // The provider's advert was older than its functions.
    case 'unknown_function':
      return error.notStarted ? 'never_started' : 'final'
    case 'interrupted':
    case 'outcome_unknown':
    case 'incomplete':
      return 'cut_off'
    default:
      return 'final'
  }
}
