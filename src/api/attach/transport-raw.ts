import type { Socket } from 'node:net'
import { EasyNetError } from '../../errors/error.ts'
import { createRawSplitter } from './framing-raw.ts'
import { messageText } from './message.ts'
import type { Transport, TransportEvents } from './transport.ts'
import { createDrainWaiters } from './drain.ts'

/** Newline-delimited JSON with raw bytes, on a socket whose upgrade has been answered. */
export function createRawTransport(socket: Socket, head: Buffer): Transport {
  const waiters = createDrainWaiters()
  let text = ''
  let isScheduled = false
  let isOver = false

  const flush = (): void => {
    isScheduled = false
    if (text !== '') {
      socket.write(text)
      text = ''
    }
    socket.uncork()
    if (socket.writableLength === 0) waiters.wake()
  }
  const schedule = (): void => {
    if (isScheduled) return
    isScheduled = true
    socket.cork()
    setImmediate(flush)
  }

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
      socket.on('end', () => socket.end())
      socket.once('close', () => {
        waiters.close()
        events.closed()
      })
      if (head.length > 0) onData(head)
      socket.on('data', onData)
    },
    send(json, blobs) {
      const line = messageText(json, blobs)
      if (!socket.writable) return
      schedule()
      text += `${line}\n`
      if (blobs.length === 0) return
      socket.write(text)
      text = ''
      for (const blob of blobs) if (blob.length > 0) socket.write(blob)
    },
    get bufferedBytes() {
      return text.length + socket.writableLength
    },
    drained: () => waiters.wait(socket.destroyed || text.length + socket.writableLength === 0),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end() {
      setImmediate(() => socket.end())
    },
    destroy: () => void socket.destroy(),
  }
}
