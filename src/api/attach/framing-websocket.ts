import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { EasyNetError } from '../../errors/error.ts'
import { WEBSOCKET_PROTOCOL } from '../guard.ts'
import { refuseSocket } from '../refusal.ts'
import { createDrainWaiters } from './drain.ts'
import { MAX_LINE_BYTES, MAX_MESSAGE_BLOB_BYTES } from '../../model/attach.ts'
import {
  announcedLengths,
  type Json,
  type MessageListener,
  messageText,
  NO_BLOBS,
  parseMessage,
  tooLarge,
} from '../../model/attach-message.ts'
import type { Transport, TransportEvents } from './transport.ts'

const PROTOCOL_ERROR = 1002
const NORMAL_CLOSURE = 1000

/** Completes WebSocket handshakes for requests that the guard has let in. */
export function createWebSocketAcceptor() {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BLOB_BYTES,
    handleProtocols: (offered) => (offered.has(WEBSOCKET_PROTOCOL) ? WEBSOCKET_PROTOCOL : false),
  })
  server.on('wsClientError', (error, socket) =>
    refuseSocket(
      socket,
      new EasyNetError('invalid_request', `This is no WebSocket handshake. ${error.message}.`),
    ),
  )
  return (
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    ready: (transport: Transport) => void,
  ): void => server.handleUpgrade(request, socket, head, (ws) => ready(createWebSocketTransport(ws, socket)))
}

/** Joins a text message and the binary messages that it announces. */
export function createWebSocketJoiner(onMessage: MessageListener): (data: Buffer, isBinary: boolean) => void {
  let json: Json | undefined
  let lengths: readonly number[] = []
  let blobs: Uint8Array[] = []

  return (data, isBinary) => {
    if (!isBinary) {
      if (json !== undefined) throw new EasyNetError('protocol_violation', 'Announced bytes did not come.')
      if (data.length > MAX_LINE_BYTES) throw tooLarge('bytes in a message', data.length, MAX_LINE_BYTES)
      const message = parseMessage(data.toString('utf8'))
      lengths = announcedLengths(message)
      if (lengths.length === 0) onMessage(message, NO_BLOBS)
      else json = message
      return
    }
    if (json === undefined || data.length !== lengths[blobs.length]) {
      throw new EasyNetError('protocol_violation', 'A binary message was not announced.')
    }
    blobs.push(data)
    if (blobs.length < lengths.length) return
    const [message, complete] = [json, blobs]
    json = undefined
    blobs = []
    onMessage(message, complete)
  }
}

function createWebSocketTransport(ws: WebSocket, socket: Socket): Transport {
  const waiters = createDrainWaiters()
  let isScheduled = false
  let isOver = false
  const flush = (): void => {
    isScheduled = false
    socket.uncork()
    if (ws.bufferedAmount === 0) waiters.wake()
  }

  const transport: Transport = {
    start(events: TransportEvents) {
      const join = createWebSocketJoiner(events.message)
      ws.on('message', (data, isBinary) => {
        if (isOver) return
        events.alive()
        try {
          join(data as Buffer, isBinary)
        } catch (thrown) {
          isOver = true
          events.violation(EasyNetError.from(thrown, 'protocol_violation'))
        }
      })
      // ws has begun to close by itself when it reports a frame that breaks its limits.
      ws.on('error', () => (isOver = true))
      socket.on('drain', waiters.wake)
      ws.once('close', () => {
        waiters.close()
        events.closed()
      })
    },
    send(json, blobs) {
      const text = messageText(json, blobs)
      if (ws.readyState !== ws.OPEN) return
      if (!isScheduled) {
        isScheduled = true
        socket.cork()
        setImmediate(flush)
      }
      ws.send(text, { binary: false })
      for (const blob of blobs) ws.send(blob, { binary: true })
    },
    sendLater: (json) => transport.send(json, NO_BLOBS),
    get bufferedBytes() {
      return ws.bufferedAmount
    },
    drained: () => waiters.wait(ws.readyState !== ws.OPEN || ws.bufferedAmount === 0),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
    end() {
      setImmediate(() => ws.close(isOver ? PROTOCOL_ERROR : NORMAL_CLOSURE))
    },
    destroy: () => ws.terminate(),
  }
  return transport
}
