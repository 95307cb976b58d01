import { EasyNetError } from '../errors/error.ts'
import type { Reason } from '../errors/reasons.ts'

/** sysexits.h: a supervisor need not start it again. */
const BAD_CONFIG = 78
/** sysexits.h: a bug. */
export const INTERNAL = 70

const CODES: Partial<Record<Reason, number>> = {
  invalid_request: 2,
  invalid_config: BAD_CONFIG,
  unsafe_bind: BAD_CONFIG,
  unsafe_permissions: BAD_CONFIG,
  internal: INTERNAL,
}

/** The exit code for an error that ended the daemon: 2 usage, 78 configuration, 70 bug, else 1. */
export function exitCodeOf(error: EasyNetError): number {
  return CODES[error.reason] ?? 1
}

/** An error as people read it in three lines, or as one JSON document. */
export function describeError(error: EasyNetError, json: boolean): string {
  if (json) return `${JSON.stringify({ schema: 'error/1', error })}\n`
  const facts = Object.entries(error.details ?? {}).map(([name, value]) => `${name} ${String(value)}`)
  const lines = [
    `easynetd: ${error.message}`,
    `  why: ${[error.reason, ...facts].join(', ')}`,
    ...(error.hint === undefined ? [] : [`  try: ${error.hint}`]),
  ]
  return `${lines.join('\n')}\n`
}
