import { EasyNetError } from '../../errors/error.ts'
import type { CallSink, LogEntry, PeerRef } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import { createDeadline, type Deadline } from '../../util/signals.ts'
import {
  type CallHeader,
  decodeCancel,
  decodeSmallCall,
  type EncodedValue,
  encodeError,
  encodeLog,
  encodeProgress,
  encodeValue,
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

/** One call that runs. What its function reports goes to the caller through here. */
class SharedCall implements CallSink {
  readonly #frames: FrameStream
  readonly #number: number
  readonly deadline: Deadline
  /** True until the caller has its answer, or is gone. */
  isOpen = true

  constructor(frames: FrameStream, number: number, timeoutMs: number) {
    this.#frames = frames
    this.#number = number
    this.deadline = createDeadline(timeoutMs)
  }

  chunk(): void {
    const rule = 'A function that sends chunks has to be registered with stream: true.'
    throw new EasyNetError('invalid_request', rule)
  }

  progress(value: Value): void {
    if (this.#mayReport()) this.#frames.send(FrameType.progress, this.#number, encodeProgress(value))
  }

  log(entry: LogEntry): void {
    if (this.#mayReport()) this.#frames.send(FrameType.log, this.#number, encodeLog(entry))
  }

  /** The shared stream has no place for blobs, of whatever size. */
  answer({ payload, bytes, blobs }: EncodedValue): void {
    const isSmall = bytes <= MAX_SHARED_RESULT_BYTES && blobs.length === 0
    if (!isSmall) this.#frames.send(FrameType.stored, this.#number, NO_PAYLOAD)
    else this.#frames.send(FrameType.result, this.#number, payload)
  }

  #mayReport(): boolean {
    return this.isOpen && !this.#frames.isBehind
  }
}

/** Serves the small calls of one peer. They go on when the stream breaks: the caller may ask later. */
export function serveSharedStream(
  { executor, budget }: CallHandlerComponents,
  frames: FrameStream,
  caller: PeerRef,
): StreamServer {
  const running = new Map<number, SharedCall>()

  const answer = (number: number, error: unknown): void => {
    frames.send(FrameType.error, number, encodeError(EasyNetError.from(error)))
  }
  const run = async (number: number, header: CallHeader, held?: Disposable): Promise<void> => {
    const { id, fn, timeoutMs, args, kwargs, traceparent } = header
    const call = new SharedCall(frames, number, timeoutMs)
    const { deadline } = call
    running.set(number, call)
    try {
      const result = await executor.run(
        { id, fn, timeoutMs, args, kwargs, caller, traceparent, deadline },
        call,
      )
      if (call.isOpen) call.answer(encodeValue(result))
    } catch (error) {
      if (call.isOpen) answer(number, error)
    } finally {
      call.isOpen = false
      deadline[Symbol.dispose]()
      // The number may be another call's by now.
      if (running.get(number) === call) running.delete(number)
      held?.[Symbol.dispose]()
    }
  }
  const start = (frame: Frame): void => {
    const payloadBytes = frame.payload.length
    const header = decodeSmallCall(frame.payload)
    const isSmall = payloadBytes <= MAX_SHARED_ARGS_BYTES && !header.input
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
    run(frame.call, header, held).catch((error: unknown) => frames.abort(EasyNetError.from(error)))
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
          const call = running.get(frame.call)
          running.delete(frame.call)
          if (call === undefined) return undefined
          call.isOpen = false
          call.deadline.abort(new EasyNetError(reason, 'The caller ended the call.'))
          return undefined
        }
        default:
          throw new EasyNetError('protocol_violation', `A frame of type ${frame.type} has no place here.`)
      }
    },
    onClose() {
      for (const call of running.values()) call.isOpen = false
      running.clear()
      frames.close().catch((error: unknown) => frames.abort(EasyNetError.from(error)))
    },
  }
}
