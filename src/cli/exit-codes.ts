import type { EasyNetError } from '../errors/error.ts'
import type { ErrorCode, Reason } from '../errors/reasons.ts'

export const EXIT = {
  ok: 0,
  functionFailed: 1,
  checkFailed: 1,
  usage: 2,
  daemonUnreachable: 3,
  notAuthorised: 4,
  nobodyOffersIt: 5,
  budget: 6,
  internal: 70,
  timeout: 124,
  interrupted: 130,
} as const

const OF_CODE: Record<ErrorCode, number> = {
  cancelled: EXIT.interrupted,
  unknown: EXIT.functionFailed,
  invalid_argument: EXIT.usage,
  deadline_exceeded: EXIT.timeout,
  not_found: EXIT.nobodyOffersIt,
  already_exists: EXIT.usage,
  permission_denied: EXIT.notAuthorised,
  resource_exhausted: EXIT.budget,
  failed_precondition: EXIT.usage,
  aborted: EXIT.functionFailed,
  out_of_range: EXIT.usage,
  unimplemented: EXIT.internal,
  internal: EXIT.internal,
  unavailable: EXIT.nobodyOffersIt,
  data_loss: EXIT.internal,
  unauthenticated: EXIT.notAuthorised,
}

/** Reasons whose code says something else. */
const OF_REASON: Partial<Record<Reason, number>> = {
  daemon_unreachable: EXIT.daemonUnreachable,
  storage_failed: EXIT.usage,
  too_large: EXIT.usage,
  queue_full: EXIT.nobodyOffersIt,
  too_many_calls: EXIT.nobodyOffersIt,
  unknown_call: EXIT.usage,
  unknown_route: EXIT.internal,
  unsafe_permissions: EXIT.notAuthorised,
  unsupported_runtime: EXIT.internal,
}

/** The exit code that tells a script about `error`. */
export function exitCodeOf(error: EasyNetError): number {
  return OF_REASON[error.reason] ?? OF_CODE[error.code]
}
