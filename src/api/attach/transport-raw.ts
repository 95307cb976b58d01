import type { Socket } from 'node:net'
import { EasyNetError } from '../../errors/error.ts'
import { joinParts } from '../../util/bytes.ts'
import { createRawSplitter } from './framing-raw.ts'
import { messageText } from './message.ts'
import type { Transport, TransportEvents } from './transport.ts'
import { createDrainWaiters } from './drain.ts'

/** Newline-delimited JSON with raw bytes, on a socket whose upgrade has been answered. */
export function createRawTransport(socket: Socket, head: Buffer): Transport {
  const waiters = createDrainWaiters()
  let parts: (string | Uint8Array)[] = []
  let partBytes = 0
  let isScheduled = false
  let isOver = false

  const flush = (): void => {
    isScheduled = false
    const waiting = parts
    parts = []
    partBytes = 0
    socket.cork()
    for (const part of joinParts(waiting)) socket.write(part)
    socket.uncork()
    if (socket.writableLength === 0) waiters.wake()
  }
  const schedule = (): void => {
    if (isScheduled) return
    isScheduled = true
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
      parts.push(`${line}\n`, ...blobs)
      partBytes += line.length + 1
      for (const blob of blobs) partBytes += blob.length
    },
    get bufferedBytes() {
      return partBytes + socket.writableLength
    },
    drained: () => waiters.wait(socket.destroyed || partBytes + socket.writableLength === 0),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    end() {
      setImmediate(() => socket.end())
    },
    destroy: () => void socket.destroy(),
  }
}
