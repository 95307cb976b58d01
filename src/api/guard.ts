import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { EasyNetError } from '../errors/error.ts'

/** The WebSocket sub-protocol of `/v1/attach`. */
export const WEBSOCKET_PROTOCOL = 'easynet.v1'

const HEALTH_PATH = '/v1/health'
const TOKEN_PROTOCOL = 'bearer.'
const LOCAL_HOST = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::(\d{1,5}))?$/i
const JSON_TYPE = /^application\/json\s*(?:;|$)/i
const TOKEN_HINT =
  'Send "Authorization: Bearer <token>"; the token is in run/token below the home of the daemon.'

/** What the guard looks at. */
export type GuardedRequest = Pick<IncomingMessage, 'method' | 'url' | 'headers'>

export interface GuardInit {
  /** The secret of this daemon. */
  token: string
  /** Largest request body. */
  maxBodyBytes: number
}

/** Why `request` is refused, or undefined when it may pass. `port`: undefined on the Unix socket. */
export type Guard = (request: GuardedRequest, port: number | undefined) => EasyNetError | undefined

/**
 * The one check that every request and every upgrade passes. It keeps web pages away from the daemon
 * (a page can send requests to 127.0.0.1, also under a name of its own that resolves to it) and lets in
 * only who holds the token.
 */
export function createGuard(init: GuardInit): Guard {
  const expected = digest(init.token)
  const isToken = (given: string | undefined): boolean =>
    given !== undefined && timingSafeEqual(digest(given), expected)

  return (request, port) =>
    checkHost(request, port) ??
    checkOrigin(request) ??
    (isHealth(request) || isToken(tokenOf(request)) ? undefined : unauthenticated()) ??
    checkBody(request, init.maxBodyBytes)
}

function checkHost({ headers, url }: GuardedRequest, port: number | undefined): EasyNetError | undefined {
  const match = LOCAL_HOST.exec(headers.host ?? '')
  const isOurs = match !== null && (port === undefined || match[1] === String(port))
  if (!isOurs) {
    return new EasyNetError('foreign_host', 'This daemon does not answer to that Host.', {
      hint: 'Use the url in run/daemon.json.',
    })
  }
  // An absolute target would name a second host, which nothing behind this check looks at.
  if (url?.startsWith('/') !== true) {
    return new EasyNetError('invalid_request', 'The request target has to be a path.')
  }
  return undefined
}

function checkOrigin({ headers }: GuardedRequest): EasyNetError | undefined {
  const own = `http://${headers.host ?? ''}`.toLowerCase()
  const site = headers['sec-fetch-site']
  const isForeign =
    (headers.origin !== undefined && headers.origin.toLowerCase() !== own) ||
    (headers.referer !== undefined && !isBelow(headers.referer, own)) ||
    (site !== undefined && site !== 'none' && site !== 'same-origin')
  return isForeign
    ? new EasyNetError('foreign_origin', 'Requests of other web pages are refused.')
    : undefined
}

function isBelow(referer: string, origin: string): boolean {
  const text = referer.toLowerCase()
  return text === origin || text.startsWith(`${origin}/`)
}

function isHealth({ method, url }: GuardedRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && url?.split('?', 1)[0] === HEALTH_PATH
}

function tokenOf({ headers }: GuardedRequest): string | undefined {
  const authorization = headers.authorization
  if (authorization !== undefined) return /^bearer +(\S+)$/i.exec(authorization)?.[1]
  if (headers.upgrade?.toLowerCase() !== 'websocket') return undefined
  // Browsers and the built-in WebSocket cannot set headers, only sub-protocols.
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (!offered.includes(WEBSOCKET_PROTOCOL)) return undefined
  return offered.find((name) => name.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length)
}

function checkBody({ method, headers }: GuardedRequest, maxBodyBytes: number): EasyNetError | undefined {
  const length = Number(headers['content-length'] ?? 0)
  if (length === 0 && headers['transfer-encoding'] === undefined) return undefined
  const takesBody = method !== 'GET' && method !== 'HEAD' && method !== 'DELETE'
  if (takesBody && !JSON_TYPE.test(headers['content-type'] ?? '')) {
    return new EasyNetError('unsupported_media_type', 'The body has to be JSON.', {
      hint: 'Send "Content-Type: application/json".',
    })
  }
  return length > maxBodyBytes ? bodyTooLarge(maxBodyBytes) : undefined
}

/** The error for a body that is longer than `maxBodyBytes`. */
export function bodyTooLarge(maxBodyBytes: number): EasyNetError {
  return new EasyNetError('too_large', `The body is larger than ${maxBodyBytes} bytes.`, {
    hint: 'Send large values over the app connection, /v1/attach.',
    details: { maxBodyBytes },
  })
}

function unauthenticated(): EasyNetError {
  return new EasyNetError('unauthenticated', 'The token is missing or wrong.', { hint: TOKEN_HINT })
}

// Digests have one length whatever was sent, which timingSafeEqual needs.
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
