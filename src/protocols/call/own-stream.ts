import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../../errors/error.ts'
import type { CallOutcome, CallSink } from '../../model/call.ts'
import { attachBlobs, MAX_CHUNK_BYTES, MAX_VALUE_BYTES, type Value } from '../../model/value.ts'
import { abortReason, onAbort } from '../../util/signals.ts'
import { BlobGatherer, Tally } from './body.ts'
import { CANCEL_GRACE_MS } from './constants.ts'
import {
  type Ask,
  decodeError,
  decodeLog,
  decodeProgress,
  decodeValue,
  decodeVerdict,
  encodeAsk,
  encodeCancel,
  type EncodedValue,
  encodeValue,
} from './codec.ts'
import { createFrameStream, type FrameStream, NO_PAYLOAD } from './frame-stream.ts'
import { type Frame, FrameType } from './frames.ts'
import type { OutgoingCall } from './ports.ts'
import { connectionLost } from './shared-link.ts'

/** Runs one call on a stream of its own: any size, chunks and inputs, with yamux flow control. */
export async function callOnOwnStream(
  stream: Stream,
  call: OutgoingCall,
  encoded: EncodedValue,
  sink: CallSink,
  signal: AbortSignal,
): Promise<Value> {
  const exchange = createExchange(stream, sink)
  const unlink = onAbort(signal, () => exchange.cancel(abortReason(signal)))
  try {
    exchange.frames.send(FrameType.call, 0, encoded.payload)
    sendBody(exchange, call, encoded).catch((error: unknown) => exchange.cancel(EasyNetError.from(error)))
    const outcome = await exchange.outcome
    if (outcome.state === 'done') return outcome.result
    throw outcome.state === 'failed' ? outcome.error : connectionLost()
  } finally {
    unlink()
    exchange.finish()
  }
}

/** Asks for a call by its id; a result of any size comes back the same way as that of a call. */
export async function askOnOwnStream(
  stream: Stream,
  question: Ask,
  signal: AbortSignal,
): Promise<CallOutcome> {
  const ignore: CallSink = { chunk: () => undefined, progress: () => undefined, log: () => undefined }
  const exchange = createExchange(stream, ignore)
  const unlink = onAbort(signal, () => exchange.cancel(abortReason(signal)))
  try {
    exchange.frames.send(FrameType.ask, 0, encodeAsk(question))
    return await exchange.outcome
  } finally {
    unlink()
    exchange.finish()
  }
}

interface Exchange {
  frames: FrameStream
  /** True when the provider is ready for arguments and inputs, false when the call ended before. */
  accepted: Promise<boolean>
  /** `failed` for errors of the provider; rejects when the exchange itself broke. */
  outcome: Promise<CallOutcome>
  cancel(reason: EasyNetError): void
  finish(): void
}

async function sendBody(exchange: Exchange, call: OutgoingCall, encoded: EncodedValue): Promise<void> {
  if (encoded.blobs.length === 0 && call.inputs === undefined) return
  const { frames } = exchange
  if (!(await exchange.accepted)) return
  const tally = new Tally()
  for (const blob of encoded.blobs) tally.addBytes(blob)
  // When the other side closes while we send, the exchange ends by itself and says why.
  if (!(await isSent(frames.sendBlobs(0, encoded.blobs)))) return
  for await (const input of call.inputs ?? []) {
    if (!(await isSent(sendValue(frames, tally, FrameType.value, input)))) return
  }
  frames.send(FrameType.end, 0, tally.encode())
}

async function isSent(sending: Promise<void>): Promise<boolean> {
  return sending.then(
    () => true,
    (error: unknown) => {
      if (error instanceof EasyNetError && error.reason !== 'peer_unreachable') throw error
      return false
    },
  )
}

/**
 * Sends one value with its blobs and waits while the other side is behind.
 *
 * @param maxStallMs - a reader that takes no blobs for so long is gone
 */
export async function sendValue(
  frames: FrameStream,
  tally: Tally,
  type: typeof FrameType.value | typeof FrameType.result,
  value: Value,
  maxStallMs?: number,
): Promise<void> {
  const { payload, blobs } = encodeValue(value)
  tally.addItem()
  tally.addBytes(payload)
  for (const blob of blobs) tally.addBytes(blob)
  frames.send(type, 0, payload)
  if (blobs.length > 0) await frames.sendBlobs(0, blobs, maxStallMs)
  else await frames.drained()
}

function createExchange(stream: Stream, sink: CallSink): Exchange {
  const received = new Tally()
  const accepted = Promise.withResolvers<boolean>()
  const outcome = Promise.withResolvers<CallOutcome>()
  let filling: { skeleton: unknown; gatherer: BlobGatherer; isResult: boolean } | undefined
  let result: { value: Value } | undefined
  let ended = false
  // Whoever waits gets the failure; a question that was given up has nobody.
  outcome.promise.catch(() => undefined)

  const settle = (value: CallOutcome): void => {
    ended = true
    outcome.resolve(value)
    accepted.resolve(false)
  }
  const takeFilled = (): Promise<void> | void => {
    if (filling === undefined || !filling.gatherer.complete) return undefined
    const value = attachBlobs(filling.skeleton, filling.gatherer.blobs)
    const isResult = filling.isResult
    filling = undefined
    if (!isResult) return sink.chunk(value) ?? undefined
    result = { value }
    return undefined
  }
  const startValue = (frame: Frame): Promise<void> | void => {
    if (filling !== undefined || result !== undefined) throw outOfPlace(frame)
    const isResult = frame.type === FrameType.result
    const { skeleton, blobBytes } = decodeValue(frame.payload, isResult ? MAX_VALUE_BYTES : MAX_CHUNK_BYTES)
    received.addItem()
    received.addBytes(frame.payload)
    filling = { skeleton, gatherer: new BlobGatherer(blobBytes), isResult }
    return takeFilled()
  }
  const onFrame = (frame: Frame): Promise<void> | void => {
    // Nobody waits for it any more; `finish` closes the stream.
    if (ended) return undefined
    switch (frame.type) {
      case FrameType.accepted:
        return accepted.resolve(true)
      case FrameType.value:
      case FrameType.result:
        return startValue(frame)
      case FrameType.blob:
        if (filling === undefined) throw outOfPlace(frame)
        received.addBytes(frame.payload)
        filling.gatherer.add(frame.payload)
        return takeFilled()
      case FrameType.end:
        if (result === undefined) throw outOfPlace(frame)
        received.check(frame.payload)
        frames.send(FrameType.ack, 0, NO_PAYLOAD)
        return settle({ state: 'done', result: result.value })
      case FrameType.error:
        return settle({ state: 'failed', error: decodeError(frame.payload) })
      case FrameType.verdict:
        return settle({ state: decodeVerdict(frame.payload) })
      case FrameType.progress:
        return sink.progress(decodeProgress(frame.payload))
      case FrameType.log:
        return sink.log(decodeLog(frame.payload))
      default:
        throw outOfPlace(frame)
    }
  }
  const fail = (error: EasyNetError): void => {
    ended = true
    accepted.resolve(false)
    outcome.reject(error)
  }
  const frames = createFrameStream(stream, {
    onFrame,
    onClose: (error) => fail(error instanceof EasyNetError ? error : connectionLost()),
  })
  return {
    frames,
    accepted: accepted.promise,
    outcome: outcome.promise,
    cancel(reason) {
      frames.send(FrameType.cancel, 0, encodeCancel(reason.reason))
      // Behind inputs that the function does not take the frame is not read: then the cut says it.
      setTimeout(() => frames.abort(reason), CANCEL_GRACE_MS).unref()
      fail(reason)
    },
    finish() {
      ended = true
      frames.close().catch((error: unknown) => frames.abort(EasyNetError.from(error)))
    },
  }
}

function outOfPlace(frame: Frame): EasyNetError {
  return new EasyNetError('protocol_violation', `A frame of type ${frame.type} came out of place.`)
}
