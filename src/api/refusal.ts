import { STATUS_CODES } from 'node:http'
import type { EasyNetError } from '../errors/error.ts'
import { errorBody, httpStatus } from './errors.ts'

/** A whole HTTP response that refuses, for connections that have no `ServerResponse`. */
export function refusalText(error: EasyNetError, status = httpStatus(error)): string {
  const body = JSON.stringify(errorBody(error))
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    'Connection: close',
    'Content-Type: application/json',
    'X-Content-Type-Options: nosniff',
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}
