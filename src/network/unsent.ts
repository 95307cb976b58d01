import type { MessageStream } from '@libp2p/interface'
import { EasyNetError } from '../errors/error.ts'
import { MAX_UNSENT_BYTES, MAX_UNSENT_BYTES_OF_ALL, UNSENT_PIECE_BYTES } from './limits.ts'
import { type CreateEncrypter, onConnection } from './on-connection.ts'

/** What we look at of a connection. */
type Writer = Pick<MessageStream, 'send' | 'abort' | 'addEventListener' | 'writeBufferLength'>

/**
 * Cuts connections whose other side makes us answer and does not read: the library answers pings, opened
 * streams and every byte of data, and keeps the answers in memory without end.
 */
export function cutWhenUnread<Components>(create: CreateEncrypter<Components>): CreateEncrypter<Components> {
  const watch = createUnsentWatch()
  return onConnection(create, (_, { connection }) => watch(connection))
}

export interface UnsentInit {
  /** @default {@link MAX_UNSENT_BYTES} */
  maxBytes?: number
  /** @default {@link MAX_UNSENT_BYTES_OF_ALL} */
  maxBytesOfAll?: number
}

/** Counts what waits on each connection; the one with most is cut when all together hold too much. */
export function createUnsentWatch(init: UnsentInit = {}): (connection: Writer) => void {
  const maxBytes = init.maxBytes ?? MAX_UNSENT_BYTES
  const maxBytesOfAll = init.maxBytesOfAll ?? MAX_UNSENT_BYTES_OF_ALL
  const waiting = new Map<Writer, number>()
  let ofAll = 0

  const note = (connection: Writer, bytes: number): void => {
    ofAll += bytes - (waiting.get(connection) ?? 0)
    if (bytes === 0) waiting.delete(connection)
    else waiting.set(connection, bytes)
  }
  const cut = (connection: Writer, bytes: number): void => {
    note(connection, 0)
    const message = `It does not read: ${bytes} bytes wait to be sent to it.`
    connection.abort(new EasyNetError('peer_unreachable', message, { details: { limitBytes: maxBytes } }))
  }
  const cutLargest = (): void => {
    let largest: [Writer, number] | undefined
    for (const entry of waiting) if (largest === undefined || entry[1] > largest[1]) largest = entry
    if (largest !== undefined) cut(...largest)
  }

  return function watchUnsent(connection) {
    const send = connection.send.bind(connection)
    let pieces = 0
    let lastLength = 0
    connection.send = (data) => {
      if (send(data)) {
        if (pieces > 0) note(connection, (pieces = 0))
        return true
      }
      // Small answers take many times their size: each is a buffer of its own.
      pieces += 1
      lastLength = connection.writeBufferLength
      const bytes = lastLength + pieces * UNSENT_PIECE_BYTES
      note(connection, bytes)
      if (bytes > maxBytes) cut(connection, bytes)
      else if (ofAll > maxBytesOfAll) cutLargest()
      return false
    }
    connection.addEventListener('drain', () => {
      if (pieces === 0) return
      const left = connection.writeBufferLength
      pieces = lastLength === 0 ? 0 : Math.ceil((pieces * left) / lastLength)
      lastLength = left
      note(connection, pieces === 0 ? 0 : left + pieces * UNSENT_PIECE_BYTES)
    })
    connection.addEventListener('close', () => note(connection, 0))
  }
}
