import type { Stream } from '@libp2p/interface'
import { concat } from 'uint8arrays/concat'
import { EasyNetError } from '../errors/error.ts'
import { abortReason, onAbort } from '../util/signals.ts'

// Length-prefixed messages (u32, big-endian) for protocols that ask and answer. The length is checked
// before anything is stored, and the whole exchange has one deadline.

/** Sends one message. */
export function sendMessage(stream: Stream, bytes: Uint8Array): void {
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(bytes.length)
  stream.send(concat([length, bytes]))
}

/**
 * The messages of the other side until it closes.
 *
 * @param maxMessageBytes - for each message, or by its number from 0
 * @throws `protocol_violation`, or the signal's reason
 */
export async function* readMessages(
  stream: Stream,
  maxMessageBytes: number | ((index: number) => number),
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const unlink = onAbort(signal, () => stream.abort(abortReason(signal)))
  const gathered = new MessageBuffer(
    typeof maxMessageBytes === 'number' ? () => maxMessageBytes : maxMessageBytes,
  )
  try {
    for await (const chunk of stream) {
      gathered.push(chunk.subarray())
      for (let message = gathered.next(); message !== undefined; message = gathered.next()) yield message
    }
    if (signal.aborted) throw abortReason(signal)
  } finally {
    unlink()
  }
}

/** Gathers in a buffer that doubles, so that a message that comes byte by byte costs no more than another. */
class MessageBuffer {
  readonly #limitOf: (index: number) => number
  #index = 0
  #buffer = Buffer.alloc(0)
  #from = 0
  #to = 0

  constructor(limitOf: (index: number) => number) {
    this.#limitOf = limitOf
  }

  push(chunk: Uint8Array): void {
    const held = this.#to - this.#from
    if (this.#to + chunk.length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(1_024, 2 * (held + chunk.length)))
      this.#buffer.copy(grown, 0, this.#from, this.#to)
      this.#buffer = grown
      this.#from = 0
      this.#to = held
    }
    this.#buffer.set(chunk, this.#to)
    this.#to += chunk.length
  }

  next(): Uint8Array | undefined {
    if (this.#to - this.#from < 4) return undefined
    const length = this.#buffer.readUInt32BE(this.#from)
    const limitBytes = this.#limitOf(this.#index)
    if (length > limitBytes) {
      throw new EasyNetError('protocol_violation', `A message of ${length} bytes was announced.`, {
        details: { limitBytes },
      })
    }
    if (this.#to - this.#from < 4 + length) return undefined
    this.#index += 1
    const start = this.#from + 4
    this.#from = start + length
    // A copy: a short message that is kept must not keep this buffer.
    return Uint8Array.from(this.#buffer.subarray(start, this.#from))
  }
}

/** The first message of the other side. @throws `protocol_violation` when it closes without one */
export async function readMessage(
  stream: Stream,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  for await (const message of readMessages(stream, maxBytes, signal)) return message
  throw new EasyNetError('protocol_violation', 'The other device closed the stream without a word.')
}
