import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { EasyNetError } from '../errors/error.ts'
import { readBody } from './body.ts'
import type { ConnectionPool } from './connections.ts'
import { errorBody, httpStatus, isUnexpected, publicError } from './errors.ts'
import type { Guard } from './guard.ts'
import type { ApiLogger } from './ports.ts'
import { LINGER_MS, refuseSocket } from './refusal.ts'

/** The two framings of `/v1/attach`. */
const ATTACH_PROTOCOL = /^(?:easynet|websocket)$/i

const SECURITY_HEADERS: readonly (readonly [string, string])[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cache-Control', 'no-store'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Referrer-Policy', 'no-referrer'],
]

export interface HttpListenerComponents {
  guard: Guard
  connections: ConnectionPool
  /** Answers what the guard let in. */
  fetch: (request: Request) => Response | Promise<Response>
  /** Takes over a connection that the guard let in. */
  attach: (request: IncomingMessage, socket: Socket, head: Buffer) => void
  logger: ApiLogger
}

export interface HttpListenerInit {
  /** True for the server of the Unix socket, where a Host has no port. */
  isUnixSocket: boolean
  maxBodyBytes: number
  headersTimeoutMs: number
  requestTimeoutMs: number
  maxHeaderBytes: number
}

/** A `node:http` server with the guard before everything; it does not listen yet. */
export function createHttpListener(components: HttpListenerComponents, init: HttpListenerInit): Server {
  const { guard, connections, logger } = components
  const respond = getRequestListener(components.fetch, {
    overrideGlobalObjects: false,
    autoCleanupIncoming: false,
  })

  const portOf = (socket: Socket): number | undefined =>
    init.isUnixSocket ? undefined : (socket.localPort ?? 0)

  const handle = async (
    request: IncomingMessage & { rawBody?: Buffer },
    response: ServerResponse,
  ): Promise<void> => {
    for (const [name, text] of SECURITY_HEADERS) response.setHeader(name, text)
    // After an upgrade that was overlooked, Node tells nobody of a malformed request on the same connection.
    if (request.headers.upgrade !== undefined) response.setHeader('Connection', 'close')
    try {
      const refusal = guard(request, portOf(request.socket))
      if (refusal !== undefined) throw refusal
      connections.busy(request.socket)
      response.once('close', () => connections.idle(request.socket))
      if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
      request.rawBody = await readBody(request, init.maxBodyBytes)
      await respond(request, response)
    } catch (thrown) {
      const error = publicError(thrown)
      if (isUnexpected(error)) logger.error({ err: thrown, path: request.url }, 'A request failed')
      refuse(request, response, error)
    }
  }

  const server = createServer({
    headersTimeout: init.headersTimeoutMs,
    requestTimeout: init.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1_000, init.headersTimeoutMs),
    maxHeaderSize: init.maxHeaderBytes,
    // A missing Host is for the guard to refuse, with a body that explains it.
    requireHostHeader: false,
    // curl offers an upgrade to HTTP/2 with ordinary requests.
    shouldUpgradeCallback: isUpgrade,
  })
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void handle(request, response)
  }
  server.on('request', onRequest)
  // Without a listener Node asks for the body before the guard has seen the headers.
  server.on('checkContinue', onRequest)
  // And it answers other expectations itself, without a body. HTTP allows to overlook them.
  server.on('checkExpectation', onRequest)
  server.on('connection', (socket: Socket) => connections.add(socket))
  server.on('upgrade', (request: IncomingMessage, duplex: Duplex, head: Buffer) => {
    const socket = duplex as Socket
    const refusal = guard(request, portOf(socket))
    if (refusal === undefined) {
      connections.busy(socket)
      components.attach(request, socket, head)
    } else refuseSocket(socket, refusal)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET') socket.destroy()
    else refuseMalformed(socket, error.code)
  })
  return server
}

/** With a body Node would hand over a stream that is not the socket. */
function isUpgrade({ method, headers }: IncomingMessage): boolean {
  const hasBody = Number(headers['content-length'] ?? 0) !== 0 || headers['transfer-encoding'] !== undefined
  return method === 'GET' && !hasBody && ATTACH_PROTOCOL.test(headers.upgrade ?? '')
}

function refuse(request: IncomingMessage, response: ServerResponse, error: EasyNetError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  if (!request.complete) {
    // Cutting the connection at once could destroy the answer before the sender has read it.
    const timer = setTimeout(() => request.socket.destroy(), LINGER_MS)
    request.once('close', () => clearTimeout(timer))
    request.resume()
    response.setHeader('Connection', 'close')
  }
  const body = JSON.stringify(errorBody(error))
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }
  response.writeHead(httpStatus(error), headers).end(body)
}

function refuseMalformed(socket: Duplex, code: string | undefined): void {
  const refuseAs = (status: number, message: string): void =>
    refuseSocket(socket, new EasyNetError('invalid_request', message), status)
  if (code === 'HPE_HEADER_OVERFLOW') refuseAs(431, 'The headers are too large.')
  else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') refuseAs(408, 'The request did not arrive in time.')
  else refuseAs(400, 'This is not a valid HTTP/1.1 request.')
}
