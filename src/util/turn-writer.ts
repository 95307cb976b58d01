import type { Writable } from 'node:stream'
import { joinParts } from './bytes.ts'

/** Writes what one turn of the event loop has to say to a socket in few pieces. */
export interface TurnWriter {
  /** @param bytes - follow the text; they must not change until they are written */
  write(text: string, bytes: readonly Uint8Array[]): void
  /** Text that is in no hurry: it leaves before whatever is written next, at the latest after `patienceMs`. */
  writeLater(text: string): void
  /** Writes what waits now. */
  flush(): void
  /** Bytes that wait to be handed to the socket; texts count as one per character. */
  readonly waitingBytes: number
}

export interface TurnWriterInit {
  /** @default 0 */
  patienceMs?: number
  /** Called after everything was handed to the socket. */
  onFlushed?: () => void
}

export function createTurnWriter(
  socket: Writable,
  { patienceMs = 0, onFlushed }: TurnWriterInit = {},
): TurnWriter {
  let parts: (string | Uint8Array)[] = []
  let waitingBytes = 0
  let isScheduled = false
  let timer: NodeJS.Timeout | undefined

  const flush = (): void => {
    isScheduled = false
    if (parts.length === 0) return
    const pieces = joinParts(parts)
    parts = []
    waitingBytes = 0
    if (socket.writable) writeAll(socket, pieces)
    onFlushed?.()
  }
  const flushAfterPromises = (): void => process.nextTick(flush)
  // Not setImmediate: that is a round of the event loop, and a system call, later.
  const schedule = (): void => {
    if (isScheduled) return
    isScheduled = true
    queueMicrotask(flushAfterPromises)
  }

  return {
    write(text, bytes) {
      parts.push(text)
      waitingBytes += text.length
      for (const part of bytes) {
        parts.push(part)
        waitingBytes += part.length
      }
      schedule()
    },
    writeLater(text) {
      parts.push(text)
      waitingBytes += text.length
      if (isScheduled || parts.length > 1) return
      // Moved on by each call that was answered in time, and stopped by none of them.
      if (timer === undefined) timer = setTimeout(flush, patienceMs).unref()
      else timer.refresh()
    },
    flush,
    get waitingBytes() {
      return waitingBytes
    },
  }
}

function writeAll(socket: Writable, pieces: readonly (string | Uint8Array)[]): void {
  const isOne = pieces.length === 1
  if (!isOne) socket.cork()
  for (const piece of pieces) socket.write(piece)
  if (!isOne) socket.uncork()
}
