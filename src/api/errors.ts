import type { ZodError } from 'zod'
import { EasyNetError, type ErrorData } from '../errors/error.ts'
import type { ErrorCode, Reason } from '../errors/reasons.ts'

/**
 * The HTTP status of each code, as gRPC gateways map them.
 * Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
 */
const STATUS_OF_CODE: Record<ErrorCode, number> = {
  cancelled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 412,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
}

/** Reasons for which HTTP has a more precise status than their code. */
const STATUS_OF_REASON: Partial<Record<Reason, number>> = {
  too_large: 413,
  unsupported_media_type: 415,
  foreign_host: 421,
}

/** The body of every response that is not a success. */
export interface ErrorBody {
  error: ErrorData
}

/** The HTTP status that stands for `error`. */
export function httpStatus(error: EasyNetError): number {
  return STATUS_OF_REASON[error.reason] ?? STATUS_OF_CODE[error.code]
}

/** Largest details of an error, as JSON. */
const MAX_DETAILS_LENGTH = 64 * 1024

/** `error` as data that can be sent in any case: details that are too much, or no JSON, are left out. */
export function errorData(error: EasyNetError): ErrorData {
  const { details, ...data } = error.toJSON()
  return details !== undefined && isSendable(details) ? { ...data, details } : data
}

function isSendable(details: Record<string, unknown>): boolean {
  try {
    return JSON.stringify(details).length <= MAX_DETAILS_LENGTH
  } catch {
    // A BigInt or a cycle.
    return false
  }
}

/** The response body that tells a program about `error`. */
export function errorBody(error: EasyNetError): ErrorBody {
  return { error: errorData(error) }
}

/**
 * Any thrown value as the error that a program may see. What is not ours could hold anything, so its
 * text stays in the log.
 */
export function publicError(thrown: unknown): EasyNetError {
  if (thrown instanceof EasyNetError) return thrown
  return new EasyNetError('internal', 'The daemon failed to answer this request.', {
    hint: 'See the log: easynet logs',
    cause: thrown,
  })
}

/** True when nobody foresaw this error, so that the log should show it whole. */
export function isUnexpected(error: EasyNetError): boolean {
  return error.reason === 'internal'
}

/** What a validation found, in one error that names each place: `functions[0].name: …`. */
export function invalidRequest(error: ZodError, what: string): EasyNetError {
  const problems = error.issues.slice(0, 8).map((issue) => {
    const place = pathText(issue.path)
    return place === '' ? issue.message : `${place}: ${issue.message}`
  })
  return new EasyNetError(
    'invalid_request',
    `The ${what} is not valid. ${problems.join('; ').slice(0, 2_000)}`,
    {
      hint: 'The expected form is in GET /v1/openapi.json and docs/spec/attach.md.',
    },
  )
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('')
}
