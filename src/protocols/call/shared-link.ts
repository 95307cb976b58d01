import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../../errors/error.ts'
import type { Reason } from '../../errors/reasons.ts'
import type { CallSink } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import { type Deadline, type EndListener, raceSignal } from '../../util/signals.ts'
import {
  decodeError,
  decodeLog,
  decodeProgress,
  decodeSmallValue,
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
  /** Resolves when the stream is open; undefined when it is. Rejects as `call` would. */
  readonly opening: Promise<unknown> | undefined
  call(encoded: EncodedValue, sink: CallSink, deadline: Deadline): Promise<Value | OtherWay>
  close(): void
}

/** An answer that is no result: the call did not start, send it on a stream of its own. */
export const OWN_STREAM = Symbol('own stream')
/** An answer that is no result: the call is done, its result is too large for here; ask for it. */
export const STORED = Symbol('stored')
export type OtherWay = typeof OWN_STREAM | typeof STORED

/** A call that waits for its answer. */
class Pending implements EndListener {
  readonly number: number
  readonly sink: CallSink
  readonly #deadline: Deadline
  readonly #resolve: (answer: Value | OtherWay) => void
  readonly #reject: (error: EasyNetError) => void
  readonly #onEnd: (call: Pending, reason: EasyNetError) => void

  constructor(
    number: number,
    sink: CallSink,
    deadline: Deadline,
    resolve: (answer: Value | OtherWay) => void,
    reject: (error: EasyNetError) => void,
    onEnd: (call: Pending, reason: EasyNetError) => void,
  ) {
    this.number = number
    this.sink = sink
    this.#deadline = deadline
    this.#resolve = resolve
    this.#reject = reject
    this.#onEnd = onEnd
  }

  ended(reason: EasyNetError): void {
    this.#onEnd(this, reason)
  }

  resolve(answer: Value | OtherWay): void {
    this.#deadline.unwatch(this)
    this.#resolve(answer)
  }

  reject(error: EasyNetError): void {
    this.#deadline.unwatch(this)
    this.#reject(error)
  }
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
      case FrameType.result: {
        // Read before the call is forgotten: what cannot be read must still end it.
        const value = decodeSmallValue(frame.payload)
        pending.delete(frame.call)
        return call.resolve(value)
      }
      case FrameType.stored:
        pending.delete(frame.call)
        return call.resolve(STORED)
      case FrameType.accepted:
        // "Accepted" on the shared stream says: it streams, so call it on a stream of its own.
        pending.delete(frame.call)
        return call.resolve(OWN_STREAM)
      case FrameType.error: {
        const error = decodeError(frame.payload)
        pending.delete(frame.call)
        return call.reject(error)
      }
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

  const cancel = (call: Pending, reason: EasyNetError): void => {
    if (!pending.delete(call.number)) return
    opened?.send(FrameType.cancel, call.number, encodeCancel(reason.reason))
    call.reject(reason)
  }
  const send = (
    frames: FrameStream,
    encoded: EncodedValue,
    sink: CallSink,
    deadline: Deadline,
  ): Promise<Value | OtherWay> =>
    new Promise((resolve, reject) => {
      if (closed)
        return reject(notSent('peer_unreachable', 'The connection closed before the call was sent.'))
      if (deadline.reason !== undefined) return reject(deadline.reason)
      const call = new Pending(nextNumber(), sink, deadline, resolve, reject, cancel)
      pending.set(call.number, call)
      deadline.watch(call)
      frames.send(FrameType.call, call.number, encoded.payload)
    })
  const sendWhenPossible = async (
    encoded: EncodedValue,
    sink: CallSink,
    deadline: Deadline,
  ): Promise<Value | OtherWay> => {
    const frames = opened ?? (await raceSignal(ready, deadline.signal))
    if (pending.size >= MAX_SHARED_CALLS) {
      throw notSent('too_many_calls', `${MAX_SHARED_CALLS} calls to this device are running.`)
    }
    const room = frames.drained()
    if (room !== undefined) await raceSignal(room, deadline.signal).catch(rethrowUnsent)
    return send(frames, encoded, sink, deadline)
  }

  return {
    get closed() {
      return closed
    },
    get opening() {
      return opened === undefined ? ready : undefined
    },
    get size() {
      return pending.size
    },
    call(encoded, sink, deadline) {
      if (opened === undefined || opened.isBehind || pending.size >= MAX_SHARED_CALLS) {
        return sendWhenPossible(encoded, sink, deadline)
      }
      return send(opened, encoded, sink, deadline)
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

function notSent(reason: Reason, message: string): EasyNetError {
  return new EasyNetError(reason, message, { notStarted: true })
}

function rethrowUnsent(error: unknown): never {
  throw EasyNetError.from(error).asNotStarted()
}
