import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../errors/error.ts'
import { abortReason, onAbort } from '../util/signals.ts'

interface DrainInit {
  /** Unsent bytes that are few enough to go on. */
  belowBytes: number
  /** A reader that takes nothing for so long is gone. @default no limit */
  maxStallMs?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * Waits until the other side has taken enough of what we sent. libp2p's own `onDrain()` keeps handing out
 * its first promise, so from the second time on it resolves at once; the event is reliable.
 *
 * @throws `peer_unreachable` when the stream is closed, `deadline_exceeded` after `maxStallMs`, or the
 *   signal's reason
 */
export async function waitUntilDrained(stream: Stream, init: DrainInit): Promise<void> {
  // A function that never waits for anything else must not keep the event loop for itself.
  await new Promise((resolve) => setImmediate(resolve))
  while (stream.writeBufferLength >= init.belowBytes) {
    if (stream.writeStatus !== 'writable') throw streamClosed()
    await nextDrain(stream, init)
  }
}

async function nextDrain(stream: Stream, { maxStallMs, signal }: DrainInit): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const end = (error?: EasyNetError): void => {
      clearTimeout(timer)
      unlink()
      stream.removeEventListener('drain', done)
      stream.removeEventListener('close', done)
      if (error === undefined) resolve()
      else reject(error)
    }
    // The buffered bytes are sent in a microtask after the event.
    const done = (): void => void setImmediate(end)
    const stalled = 'The other device does not read what it asked for.'
    const timer =
      maxStallMs === undefined
        ? undefined
        : setTimeout(() => end(new EasyNetError('deadline_exceeded', stalled)), maxStallMs)
    stream.addEventListener('drain', done)
    stream.addEventListener('close', done)
    let unlink = (): void => undefined
    unlink = onAbort(signal, () => end(abortReason(signal)))
  })
}

export function streamClosed(): EasyNetError {
  return new EasyNetError('peer_unreachable', 'The stream was closed by the other device.')
}
