import { EasyNetError } from '../../errors/error.ts'
import type { CallSink, PeerRef } from '../../model/call.ts'
import { createDeadline, type Deadline } from '../../util/signals.ts'
import {
  attachCallBlobs,
  decodeCall,
  decodeCancel,
  encodeError,
  encodeLog,
  encodeProgress,
  encodeValue,
  type CallHeader,
} from './codec.ts'
import {
  MAX_SHARED_ARGS_BYTES,
  MAX_SHARED_CALLS,
  MAX_SHARED_RESULT_BYTES,
  MIN_COUNTED_ARGS_BYTES,
} from './constants.ts'
import { type FrameStream, NO_PAYLOAD } from './frame-stream.ts'
import { type Frame, FrameType } from './frames.ts'
import { memoryOf } from './inbound-budget.ts'
import type { CallHandlerComponents, StreamServer } from './stream-server.ts'

/** Serves the small calls of one peer. They go on when the stream breaks: the caller may ask later. */
export function serveSharedStream(
  { executor, budget }: CallHandlerComponents,
  frames: FrameStream,
  caller: PeerRef,
): StreamServer {
  const running = new Map<number, Deadline>()

  const answer = (number: number, error: unknown): void => {
    frames.send(FrameType.error, number, encodeError(EasyNetError.from(error)))
  }
  const run = async (number: number, header: CallHeader, held?: Disposable): Promise<void> => {
    using deadline = createDeadline(header.timeoutMs)
    running.set(number, deadline)
    try {
      const { id, fn, timeoutMs, args, kwargs, traceparent } = header
      const invocation = { id, fn, timeoutMs, args, kwargs, caller, traceparent, signal: deadline.signal }
      const result = await executor.run(invocation, sinkOf(number))
      if (running.has(number)) sendResult(number, encodeValue(result))
    } catch (error) {
      if (running.has(number)) answer(number, error)
    } finally {
      running.delete(number)
      held?.[Symbol.dispose]()
    }
  }
  const sendResult = (number: number, encoded: ReturnType<typeof encodeValue>): void => {
    // The shared stream has no place for blobs, of whatever size.
    const isSmall = encoded.bytes <= MAX_SHARED_RESULT_BYTES && encoded.blobs.length === 0
    if (!isSmall) frames.send(FrameType.stored, number, NO_PAYLOAD)
    else frames.send(FrameType.result, number, encoded.payload)
  }
  const mayReport = (number: number): boolean => running.has(number) && !frames.isBehind
  const sinkOf = (number: number): CallSink => ({
    chunk() {
      throw new EasyNetError(
        'invalid_request',
        'A function that sends chunks has to be registered with stream: true.',
      )
    },
    progress: (value) => mayReport(number) && frames.send(FrameType.progress, number, encodeProgress(value)),
    log: (entry) => mayReport(number) && frames.send(FrameType.log, number, encodeLog(entry)),
  })
  const start = (frame: Frame): void => {
    const payloadBytes = frame.payload.length
    const { skeleton: header, blobBytes } = decodeCall(frame.payload)
    const isSmall = payloadBytes <= MAX_SHARED_ARGS_BYTES && blobBytes.length === 0 && !header.input
    if (running.has(frame.call) || !isSmall) {
      throw new EasyNetError('protocol_violation', 'This call cannot be made on the shared stream.')
    }
    if (running.size >= MAX_SHARED_CALLS) {
      const limit = `${MAX_SHARED_CALLS} calls of yours are running.`
      return answer(frame.call, new EasyNetError('too_many_calls', limit, { notStarted: true }))
    }
    let held: Disposable | undefined
    try {
      if (executor.admit(header.fn, caller).streams)
        return frames.send(FrameType.accepted, frame.call, NO_PAYLOAD)
      if (payloadBytes > MIN_COUNTED_ARGS_BYTES)
        held = budget.reserve(caller.peerId, memoryOf(payloadBytes, header))
    } catch (error) {
      return answer(frame.call, EasyNetError.from(error).asNotStarted())
    }
    run(frame.call, attachCallBlobs(header, []), held).catch((error: unknown) =>
      frames.abort(EasyNetError.from(error)),
    )
  }

  return {
    onFrame(frame) {
      switch (frame.type) {
        case FrameType.call:
          start(frame)
          // Slow readers of our answers get no more of our work.
          return frames.drained()
        case FrameType.cancel: {
          const reason = decodeCancel(frame.payload)
          running.get(frame.call)?.abort(new EasyNetError(reason, 'The caller ended the call.'))
          running.delete(frame.call)
          return undefined
        }
        default:
          throw new EasyNetError('protocol_violation', `A frame of type ${frame.type} has no place here.`)
      }
    },
    onClose() {
      running.clear()
      frames.close().catch((error: unknown) => frames.abort(EasyNetError.from(error)))
    },
  }
}
