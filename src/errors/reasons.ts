/**
 * The 16 gRPC status codes, in snake_case. There are no user-defined codes.
 * Source: https://grpc.io/docs/guides/status-codes/ (without `ok`).
 */
export const ERROR_CODES = [
  'cancelled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

interface ReasonInfo {
  readonly code: ErrorCode
  /** True when the same request may succeed later and nothing has run: it is safe to send it again. */
  readonly retryable: boolean
}

/**
 * The closed set of precise reasons. Each belongs to one code and has a line with its remedy in
 * `docs/errors.md` (a test keeps both in step).
 */
export const REASONS = {
  // the request
  invalid_request: { code: 'invalid_argument', retryable: false },
  invalid_config: { code: 'invalid_argument', retryable: false },
  invalid_value: { code: 'invalid_argument', retryable: false },
  too_large: { code: 'resource_exhausted', retryable: false },
  unsupported_media_type: { code: 'invalid_argument', retryable: false },
  unknown_route: { code: 'not_found', retryable: false },
  unknown_call: { code: 'not_found', retryable: false },
  unknown_peer: { code: 'not_found', retryable: false },
  ambiguous_peer: { code: 'invalid_argument', retryable: false },
  not_implemented: { code: 'unimplemented', retryable: false },
  // who asks
  unauthenticated: { code: 'unauthenticated', retryable: false },
  /** The peer belongs to no mesh of ours, or its certificate is not good any more. */
  not_a_member: { code: 'permission_denied', retryable: false },
  foreign_origin: { code: 'permission_denied', retryable: false },
  foreign_host: { code: 'permission_denied', retryable: false },
  // finding and reaching a provider
  no_provider: { code: 'not_found', retryable: true },
  unknown_function: { code: 'not_found', retryable: false },
  peer_unreachable: { code: 'unavailable', retryable: true },
  draining: { code: 'unavailable', retryable: true },
  daemon_unreachable: { code: 'unavailable', retryable: true },
  // running it
  queue_full: { code: 'resource_exhausted', retryable: true },
  too_many_calls: { code: 'resource_exhausted', retryable: true },
  function_error: { code: 'unknown', retryable: false },
  deadline_exceeded: { code: 'deadline_exceeded', retryable: false },
  cancelled: { code: 'cancelled', retryable: false },
  /** The call had started and was cut off: it did not finish. */
  interrupted: { code: 'aborted', retryable: false },
  /** The connection broke and the provider could not tell whether the call ran. */
  outcome_unknown: { code: 'unknown', retryable: false },
  function_exists: { code: 'already_exists', retryable: false },
  duplicate_call: { code: 'already_exists', retryable: false },
  // the device
  already_running: { code: 'failed_precondition', retryable: false },
  unsafe_permissions: { code: 'failed_precondition', retryable: false },
  unsafe_bind: { code: 'failed_precondition', retryable: false },
  unsupported_runtime: { code: 'failed_precondition', retryable: false },
  storage_failed: { code: 'internal', retryable: false },
  // the wire
  protocol_violation: { code: 'data_loss', retryable: false },
  digest_mismatch: { code: 'data_loss', retryable: false },
  internal: { code: 'internal', retryable: false },
} as const satisfies Record<string, ReasonInfo>
export type Reason = keyof typeof REASONS

/** True when `text` is one of our reasons. */
export function isReason(text: unknown): text is Reason {
  return typeof text === 'string' && Object.hasOwn(REASONS, text)
}
