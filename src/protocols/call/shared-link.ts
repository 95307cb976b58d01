import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../../errors/error.ts'
import type { CallSink } from '../../model/call.ts'
import { attachBlobs, type Value } from '../../model/value.ts'
import { abortReason, onAbort, raceSignal } from '../../util/signals.ts'
import {
  decodeError,
  decodeLog,
  decodeProgress,
  decodeValue,
  encodeCancel,
  type EncodedValue,
} from './codec.ts'
import { MAX_SHARED_CALLS } from './constants.ts'
import { createFrameStream, type FrameStream } from './frame-stream.ts'
import { type Frame, FrameType } from './frames.ts'

/** The one persistent stream to a peer on which its small calls are multiplexed. */
export interface SharedLink {
  readonly closed: boolean
  /** Calls that run. */
  readonly size: number
  /** @param encoded - the call, whose blobs are empty */
  call(encoded: EncodedValue, sink: CallSink, signal: AbortSignal): Promise<SharedAnswer>
  close(): void
}

/** `own_stream`: not started, send it alone. `stored`: done, too large for here, ask for it. */
export type SharedAnswer = { kind: 'result'; value: Value } | { kind: 'own_stream' } | { kind: 'stored' }

interface Pending {
  sink: CallSink
  resolve(answer: SharedAnswer): void
  reject(error: EasyNetError): void
}

const MAX_CALL_NUMBER = 0xffff_ffff

export function createSharedLink(opening: Promise<Stream>): SharedLink {
  const pending = new Map<number, Pending>()
  let lastNumber = 0
  let closed = false

  const onClose = (): void => {
    closed = true
    // The provider may have closed its side alone.
    ready.then((frames) => frames.abort(connectionLost())).catch(() => undefined)
    for (const call of pending.values()) call.reject(connectionLost())
    pending.clear()
  }
  const onFrame = (frame: Frame): void => {
    const call = pending.get(frame.call)
    // Answers to calls that were cancelled meanwhile.
    if (call === undefined) return
    switch (frame.type) {
      case FrameType.progress:
        return call.sink.progress(decodeProgress(frame.payload))
      case FrameType.log:
        return call.sink.log(decodeLog(frame.payload))
      case FrameType.result:
        pending.delete(frame.call)
        return call.resolve({ kind: 'result', value: attachBlobs(decodeValue(frame.payload).skeleton, []) })
      case FrameType.stored:
        pending.delete(frame.call)
        return call.resolve({ kind: 'stored' })
      case FrameType.accepted:
        // "Accepted" on the shared stream says: it streams, so call it on a stream of its own.
        pending.delete(frame.call)
        return call.resolve({ kind: 'own_stream' })
      case FrameType.error:
        pending.delete(frame.call)
        return call.reject(decodeError(frame.payload))
      default:
        throw new EasyNetError('protocol_violation', `A frame of type ${frame.type} has no place here.`)
    }
  }

  let opened: FrameStream | undefined
  const ready: Promise<FrameStream> = opening.then(
    (stream) => (opened = createFrameStream(stream, { onFrame, onClose })),
    (error: unknown) => {
      closed = true
      throw error
    },
  )
  // Whoever calls gets the failure; without a caller nobody misses the stream.
  ready.catch(() => undefined)

  const nextNumber = (): number => {
    do lastNumber = lastNumber === MAX_CALL_NUMBER ? 1 : lastNumber + 1
    while (pending.has(lastNumber))
    return lastNumber
  }

  return {
    get closed() {
      return closed
    },
    get size() {
      return pending.size
    },
    async call(encoded, sink, signal) {
      const frames = opened ?? (await raceSignal(ready, signal))
      if (pending.size >= MAX_SHARED_CALLS) {
        throw new EasyNetError('too_many_calls', `${MAX_SHARED_CALLS} calls to this device are running.`, {
          notStarted: true,
        })
      }
      const room = frames.drained()
      if (room !== undefined) await raceSignal(room, signal).catch(rethrowUnsent)
      if (closed)
        throw new EasyNetError('peer_unreachable', 'The connection closed before the call was sent.', {
          notStarted: true,
        })
      return new Promise<SharedAnswer>((resolve, reject) => {
        const number = nextNumber()
        const unlink = onAbort(signal, () => {
          if (!pending.delete(number)) return
          const reason = abortReason(signal)
          frames.send(FrameType.cancel, number, encodeCancel(reason.reason))
          reject(reason)
        })
        pending.set(number, {
          sink,
          resolve: (answer) => {
            unlink()
            resolve(answer)
          },
          reject: (error) => {
            unlink()
            reject(error)
          },
        })
        frames.send(FrameType.call, number, encoded.payload)
      })
    },
    close() {
      closed = true
      ready.then((frames) => frames.abort(new Error('no longer needed'))).catch(() => undefined)
    },
  }
}

/** The call was sent; whether it ran is for the provider to say. */
export function connectionLost(cause?: unknown): EasyNetError {
  return new EasyNetError('outcome_unknown', 'The connection to the provider broke while the call ran.', {
    cause,
  })
}

function rethrowUnsent(error: unknown): never {
  throw EasyNetError.from(error).asNotStarted()
}
