import { HEARTBEAT_MS, SILENCE_MS } from '../model/attach.ts'
import { chmod, unlink } from 'node:fs/promises'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { EasyNetError } from '../errors/error.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { createApp } from './app.ts'
import { createPrograms } from './attach/programs.ts'
import { createConnectionPool } from './connections.ts'
import { createGuard } from './guard.ts'
import { createHttpListener } from './http-listener.ts'
import { MAX_PROGRAMS } from './attach/limits.ts'
import type { NodeApi } from './node-api.ts'
import { type ApiLogger, type MetricsSource, silentLogger } from './ports.ts'

/** Hosts that only this machine reaches. */
const LOOPBACK_HOSTS: Record<string, string> = {
  '127.0.0.1': '127.0.0.1',
  '::1': '::1',
  '[::1]': '::1',
  localhost: '127.0.0.1',
}
/** Ports tried after a taken one, before the system chooses. */
const NEXT_PORTS = 20
/** Connections that wait while the daemon is busy; with the default of 511 a burst has to try again later. */
const BACKLOG = 2_048
/** Longest path that every system accepts as a Unix socket (macOS has the smallest limit). */
const MAX_SOCKET_PATH = 103

export interface ApiServerComponents {
  node: NodeApi
  /** The secret of this daemon: whoever holds it is this device's user. */
  token: string
  clock?: Clock
  logger?: ApiLogger
  /** Read by `GET /metrics`; absent: there is no such route. */
  metrics?: MetricsSource
}

/** Where to listen for TCP connections. */
export interface ApiListenAddress {
  /** `127.0.0.1`, `::1` or `localhost`. */
  host: string
  /** 0: the system chooses. */
  port: number
  /** Take the next free port when this one is taken. @default false */
  orNextFree?: boolean
}

export interface ApiServerInit {
  listen: readonly ApiListenAddress[]
  /** Path of the Unix socket (mode 0600); none when absent or too long for the system. */
  socketPath?: string
  /**
   * Remove what lies at `socketPath` before listening. Only for a caller who holds the lock of this home
   * and so knows that no other daemon uses it. @default false
   */
  replaceSocket?: boolean
  /** Largest request body. @default 16 MiB */
  maxBodyBytes?: number
  /** Most open connections, attached programs included. @default 512 */
  maxConnections?: number
  /** Most attached programs. @default 64 */
  maxPrograms?: number
  /** Time to send the headers of a request. @default 10_000 */
  headersTimeoutMs?: number
  /** Time to send a whole request; the answer may take longer. @default 30_000 */
  requestTimeoutMs?: number
  /** Heartbeat of attached programs. @default 15_000 */
  heartbeatMs?: number
  /** Silence after which an attached program is taken for dead. @default 60_000 */
  silenceMs?: number
  /** Time that running work has to finish in `close()`. @default 2_000 */
  closeGraceMs?: number
}

/** The running control API. */
export interface ApiServer extends AsyncDisposable {
  /** One for each `listen` address, such as `http://127.0.0.1:7677`. */
  urls: string[]
  /** Absent when there is no Unix socket. */
  socketPath?: string
  /** Lets go of readers of events and of idle programs at once, of the rest after the grace period. */
  close(): Promise<void>
}

/**
 * Serves the control API of docs/api.md and docs/spec/attach.md on this machine only.
 *
 * @throws {@link EasyNetError} `unsafe_bind` for an address that others could reach, `already_running`
 *   when a port or the socket is taken
 */
export async function createApiServer(
  { node, token, clock = systemClock, logger = silentLogger, metrics }: ApiServerComponents,
  init: ApiServerInit,
): Promise<ApiServer> {
  const closing = new AbortController()
  const connections = createConnectionPool(init.maxConnections ?? 512)
  const maxBodyBytes = init.maxBodyBytes ?? 16 * 1024 * 1024
  const app = createApp({ node, closing: closing.signal, metrics }, logger)
  const programs = createPrograms(
    { node, clock, logger },
    {
      maxPrograms: init.maxPrograms ?? MAX_PROGRAMS,
      heartbeatMs: init.heartbeatMs ?? HEARTBEAT_MS,
      silenceMs: init.silenceMs ?? SILENCE_MS,
    },
  )
  const components = {
    guard: createGuard({ token, maxBodyBytes }),
    connections,
    fetch: app.fetch,
    attach: (request: IncomingMessage, socket: Socket, head: Buffer) =>
      programs.accept(request, socket, head),
    logger,
  }
  const listener = (isUnixSocket: boolean): Server =>
    createHttpListener(components, {
      isUnixSocket,
      maxBodyBytes,
      headersTimeoutMs: init.headersTimeoutMs ?? 10_000,
      requestTimeoutMs: init.requestTimeoutMs ?? 30_000,
      maxHeaderBytes: 8 * 1024,
    })

  await using opened = new AsyncDisposableStack()
  const servers: Server[] = []
  const urls: string[] = []
  for (const address of init.listen) {
    const server = opened.adopt(listener(false), stop)
    urls.push(await listenOnLoopback(server, address))
    servers.push(server)
  }
  const socketPath = usableSocketPath(init.socketPath, logger)
  if (socketPath !== undefined) {
    const server = opened.adopt(listener(true), stop)
    if (init.replaceSocket === true) await removeStale(socketPath)
    await listen(server, { path: socketPath })
    servers.push(server)
    await chmod(socketPath, 0o600)
  }
  opened.move()

  let closed: Promise<void> | undefined
  const close = async (): Promise<void> => {
    closing.abort(new EasyNetError('draining', 'The daemon is stopping.'))
    const stopped = Promise.all(servers.map(stop))
    programs.drain()
    connections.drain()
    const hard = setTimeout(() => {
      programs.destroy()
      connections.destroyAll()
    }, init.closeGraceMs ?? 2_000)
    await stopped
    clearTimeout(hard)
  }
  const server: ApiServer = {
    urls,
    ...(socketPath === undefined ? {} : { socketPath }),
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => server.close(),
  }
  return server
}

async function listenOnLoopback(
  server: Server,
  { host, port, orNextFree }: ApiListenAddress,
): Promise<string> {
  const address = LOOPBACK_HOSTS[host.toLowerCase()]
  if (address === undefined) {
    throw new EasyNetError('unsafe_bind', `The control API does not listen on ${host}.`, {
      hint: 'Use 127.0.0.1; to reach this device from others, use the mesh.',
    })
  }
  const isChoice = orNextFree === true && port !== 0
  const next = isChoice ? Array.from({ length: NEXT_PORTS }, (_, index) => port + index + 1) : []
  for (const candidate of [port, ...next.filter((number) => number < 65_536), ...(isChoice ? [0] : [])]) {
    if (await listensAt(server, address, candidate, isChoice)) break
  }
  const bound = server.address() as AddressInfo
  return `http://${address === '::1' ? '[::1]' : address}:${bound.port}`
}

async function listensAt(server: Server, host: string, port: number, mayBeTaken: boolean): Promise<boolean> {
  try {
    await listen(server, { host, port })
    return true
  } catch (thrown) {
    if (mayBeTaken && port !== 0 && thrown instanceof EasyNetError && thrown.reason === 'already_running')
      return false
    throw thrown
  }
}

function listen(server: Server, where: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const place = 'path' in where ? where.path : `${where.host}:${where.port}`
      reject(
        error.code === 'EADDRINUSE'
          ? new EasyNetError('already_running', `${place} is in use.`, { cause: error })
          : new EasyNetError('invalid_config', `Cannot listen on ${place}: ${error.message}`, {
              cause: error,
            }),
      )
    }
    server.once('error', onError)
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close(() => resolve())
    else resolve()
  })
}

function usableSocketPath(path: string | undefined, logger: ApiLogger): string | undefined {
  if (path === undefined || Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path
  logger.warn({ path }, 'The path of the Unix socket is too long for this system; only TCP is served')
  return undefined
}

async function removeStale(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
  }
}
