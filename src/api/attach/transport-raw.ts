import type { Socket } from 'node:net'
import { EasyNetError } from '../../errors/error.ts'
import { messageText, NO_BLOBS } from '../../model/attach-message.ts'
import { createRawSplitter } from '../../model/attach-splitter.ts'
import { createTurnWriter } from '../../util/turn-writer.ts'
import { createDrainWaiters } from './drain.ts'
import { PATIENCE_MS } from './limits.ts'
import type { Transport, TransportEvents } from './transport.ts'

/** Newline-delimited JSON with raw bytes, on a socket whose upgrade has been answered. */
export function createRawTransport(socket: Socket, head: Buffer): Transport {
  const waiters = createDrainWaiters()
  let isOver = false
  const onFlushed = (): void => {
    if (socket.writableLength === 0) waiters.wake()
  }
  const writer = createTurnWriter(socket, { patienceMs: PATIENCE_MS, onFlushed })
  const bufferedBytes = (): number => writer.waitingBytes + socket.writableLength

  return {
    start(events: TransportEvents) {
      const split = createRawSplitter(events.message)
      const onData = (data: Buffer): void => {
        if (isOver) return
        events.alive()
        try {
          split(data)
        } catch (thrown) {
          isOver = true
          events.violation(EasyNetError.from(thrown, 'protocol_violation'))
        }
      }
      socket.setNoDelay(true)
      socket.setTimeout(0)
      socket.on('drain', waiters.wake)
      socket.on('error', () => socket.destroy())
      // The socket of an upgrade stays half open when the program ends its side.
      socket.on('end', () => {
        writer.flush()
        socket.end()
      })
      socket.once('close', () => {
        waiters.close()
        events.closed()
      })
      if (head.length > 0) onData(head)
      socket.on('data', onData)
    },
    send(json, blobs) {
      const line = messageText(json, blobs)
      if (socket.writable) writer.write(`${line}\n`, blobs)
    },
    sendLater(json) {
      const line = messageText(json, NO_BLOBS)
      if (socket.writable) writer.writeLater(`${line}\n`)
    },
    get bufferedBytes() {
      return bufferedBytes()
    },
    drained: () => waiters.wait(socket.destroyed || bufferedBytes() === 0),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end() {
      writer.flush()
      socket.end()
    },
    destroy: () => void socket.destroy(),
  }
}
