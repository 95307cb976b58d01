import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { EasyNetError } from '../../errors/error.ts'
import type { Clock } from '../../util/clock.ts'
import type { NodeApi } from '../node-api.ts'
import type { ApiLogger } from '../ports.ts'
import { refuseSocket } from '../refusal.ts'
import { createGroups } from './groups.ts'
import { createWebSocketAcceptor } from './framing-websocket.ts'
import { createSession, type Session } from './session.ts'
import type { Transport } from './transport.ts'
import { createRawTransport } from './transport-raw.ts'

const ATTACH_PATH = '/v1/attach'
const SWITCHING_PROTOCOLS =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: easynet\r\n\r\n'

export interface ProgramsComponents {
  node: NodeApi
  clock: Clock
  logger: ApiLogger
}

export interface ProgramsInit {
  /** Most programs attached at the same time. */
  maxPrograms: number
  heartbeatMs: number
  silenceMs: number
}

/** All attached programs. */
export interface Programs {
  /** Takes over a connection that asked for an upgrade; the guard has let it in. */
  accept(request: IncomingMessage, socket: Socket, head: Buffer): void
  readonly size: number
  /** Ends each connection when its work has ended. */
  drain(): void
  destroy(): void
}

export function createPrograms({ node, clock, logger }: ProgramsComponents, init: ProgramsInit): Programs {
  const sessions = new Set<Session>()
  const groups = createGroups()
  const acceptWebSocket = createWebSocketAcceptor()
  let isDraining = false

  const open = (transport: Transport): void => {
    const session = createSession(
      { node, transport, groups, clock, logger },
      {
        heartbeatMs: init.heartbeatMs,
        silenceMs: init.silenceMs,
        onClosed: () => sessions.delete(session),
      },
    )
    sessions.add(session)
  }

  return {
    accept(request, socket, head) {
      const refusal = isDraining ? draining() : refusalOf(request, sessions.size, init.maxPrograms)
      if (refusal !== undefined) {
        refuseSocket(socket, refusal)
      } else if (request.headers.upgrade?.toLowerCase() === 'websocket') {
        acceptWebSocket(request, socket, head, open)
      } else {
        socket.write(SWITCHING_PROTOCOLS)
        open(createRawTransport(socket, head))
      }
    },
    get size() {
      return sessions.size
    },
    drain() {
      isDraining = true
      for (const session of sessions) session.drain()
    },
    destroy() {
      for (const session of sessions) session.destroy()
    },
  }
}

function refusalOf(
  { url }: IncomingMessage,
  attached: number,
  maxPrograms: number,
): EasyNetError | undefined {
  if (url?.split('?', 1)[0] !== ATTACH_PATH) {
    return new EasyNetError('unknown_route', 'Only /v1/attach can be upgraded.')
  }
  if (attached < maxPrograms) return undefined
  return new EasyNetError('too_many_calls', `${attached} programs are attached already.`, {
    hint: 'Close one of them, or make the call with POST /v1/calls.',
    details: { limit: maxPrograms },
  })
}

function draining(): EasyNetError {
  return new EasyNetError('draining', 'The daemon is stopping.')
}
