import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { EasyNetError } from '../errors/error.ts'
import { errorBody, httpStatus } from './errors.ts'

/** Time that a refused sender has to stop sending before its connection is cut. */
export const LINGER_MS = 1_000

/** Answers a connection that has no `ServerResponse` with a refusal, and ends it. */
export function refuseSocket(socket: Duplex, error: EasyNetError, status = httpStatus(error)): void {
  socket.on('error', () => socket.destroy())
  socket.end(responseText(error, status))
  // Sockets of HTTP servers stay half open; cut at once, the answer might never be read.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer))
  socket.resume()
}

function responseText(error: EasyNetError, status: number): string {
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
