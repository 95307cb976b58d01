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

/** The messages of the other side until it closes. @throws `protocol_violation`, or the signal's reason */
export async function* readMessages(
  stream: Stream,
  maxMessageBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const unlink = onAbort(signal, () => stream.abort(abortReason(signal)))
  let buffered = Buffer.alloc(0)
  try {
    for await (const chunk of stream) {
      buffered = Buffer.concat([buffered, chunk.subarray()])
      while (buffered.length >= 4) {
        const length = buffered.readUInt32BE(0)
        if (length > maxMessageBytes) {
          throw new EasyNetError('protocol_violation', `A message of ${length} bytes was announced.`, {
            details: { limitBytes: maxMessageBytes },
          })
        }
        if (buffered.length < 4 + length) break
        yield buffered.subarray(4, 4 + length)
        buffered = buffered.subarray(4 + length)
      }
    }
    if (signal.aborted) throw abortReason(signal)
  } finally {
    unlink()
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
