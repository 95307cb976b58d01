import { EasyNetError } from '../../errors/error.ts'
import type { CallSink, PeerRef } from '../../model/call.ts'
import { attachBlobs, MAX_CHUNK_BYTES, type Value } from '../../model/value.ts'
import { type Channel, createChannel } from '../../util/channel.ts'
import { createDeadline } from '../../util/signals.ts'
import { BlobGatherer, Tally } from './body.ts'
import {
  attachCallBlobs,
  type CallHeader,
  decodeAsk,
  decodeCall,
  decodeCancel,
  decodeValue,
  encodeError,
  encodeLog,
  encodeProgress,
  encodeVerdict,
} from './codec.ts'
import {
  BODY_IDLE_TIMEOUT_MS,
  MAX_ASK_WAIT_MS,
  MIN_BODY_BYTES,
  RESULT_STALL_TIMEOUT_MS,
} from './constants.ts'
import { type FrameStream, NO_PAYLOAD } from './frame-stream.ts'
import { type Frame, FrameType } from './frames.ts'
import { memoryOf } from './inbound-budget.ts'
import type { CallHandlerComponents, StreamServer } from './stream-server.ts'
import { sendValue } from './own-stream.ts'

/** Inputs that may wait for the function before the caller is slowed down. */
const INPUT_QUEUE = 4

/** An input whose blobs are still coming. */
interface Input {
  skeleton: unknown
  gatherer: BlobGatherer
  held: Disposable
}

/** Serves one call, or one question about a call, on a stream of its own. */
export function serveOwnStream(
  components: CallHandlerComponents,
  frames: FrameStream,
  caller: PeerRef,
): StreamServer {
  const { executor, budget } = components
  const controller = new AbortController()
  const received = new Tally()
  const resources = new DisposableStack()
  /** Inputs that the function has not taken yet. */
  const heldInputs = new Set<Disposable>()
  resources.defer(() => heldInputs.forEach((held) => held[Symbol.dispose]()))
  let header: CallHeader | undefined
  let args: BlobGatherer | undefined
  let input: Input | undefined
  let inputs: Channel<{ value: Value; held: Disposable }> | undefined
  let asked = false
  /** Id of the call whose result we send. */
  let answering: string | undefined
  let executing = false
  let bodyEnded = false
  let streams = false
  let idleTimer: NodeJS.Timeout | undefined
  let sinceTimer = 0

  /** @param arrived - bytes; a trickle is no progress */
  const expectMore = (arrived = MIN_BODY_BYTES): void => {
    sinceTimer += arrived
    if (sinceTimer < MIN_BODY_BYTES) return
    sinceTimer = 0
    clearTimeout(idleTimer)
    idleTimer = setTimeout(() => {
      frames.abort(new EasyNetError('deadline_exceeded', 'The arguments stopped coming.'))
    }, BODY_IDLE_TIMEOUT_MS)
  }
  const bodyDone = (): void => {
    bodyEnded = true
    clearTimeout(idleTimer)
  }
  const sink: CallSink = {
    async chunk(value) {
      checkChunk(value)
      await sendValue(frames, sent, FrameType.value, value)
    },
    progress: (value) => frames.isBehind || frames.send(FrameType.progress, 0, encodeProgress(value)),
    log: (entry) => frames.isBehind || frames.send(FrameType.log, 0, encodeLog(entry)),
  }
  const sent = new Tally()

  const refuse = (error: unknown): void => {
    bodyDone()
    frames.send(FrameType.error, 0, encodeError(EasyNetError.from(error).asNotStarted()))
    end()
  }
  const end = (): void => {
    resources.dispose()
    frames.close().catch((error: unknown) => frames.abort(EasyNetError.from(error)))
  }

  const begin = (payload: Uint8Array): void => {
    const { skeleton, blobBytes } = decodeCall(payload)
    header = skeleton
    answering = skeleton.id
    try {
      streams = executor.admit(skeleton.fn, caller).streams || skeleton.input
      resources.use(budget.reserve(caller.peerId, sumOf(blobBytes) + memoryOf(payload.length, skeleton)))
      args = new BlobGatherer(blobBytes)
      if (skeleton.input) inputs = createChannel(INPUT_QUEUE)
    } catch (error) {
      return refuse(error)
    }
    frames.send(FrameType.accepted, 0, NO_PAYLOAD)
    if (blobBytes.length === 0 && !skeleton.input) bodyDone()
    else expectMore()
    if (bodyEnded || (args.complete && skeleton.input)) execute(skeleton, args)
  }

  const execute = (call: CallHeader, gatherer: BlobGatherer): void => {
    executing = true
    clearTimeout(idleTimer)
    const { args, kwargs, traceparent } = attachCallBlobs(call, gatherer.blobs)
    const deadline = resources.use(createDeadline(call.timeoutMs, controller.signal))
    const invocation = {
      id: call.id,
      fn: call.fn,
      timeoutMs: call.timeoutMs,
      args,
      kwargs,
      caller,
      traceparent,
    }
    const run = executor.run(
      {
        ...invocation,
        ...(inputs === undefined ? {} : { input: taken(inputs, heldInputs) }),
        deadline,
      },
      sink,
    )
    run
      .then(async (result) => {
        await sendResult(result)
      })
      .catch((error: unknown) => frames.send(FrameType.error, 0, encodeError(EasyNetError.from(error))))
      .finally(end)
  }

  const takeInput = (): Promise<void> | undefined => {
    if (input === undefined || !input.gatherer.complete) return undefined
    const { skeleton, gatherer, held } = input
    input = undefined
    // The next input may take its time; the function's deadline ends the wait.
    clearTimeout(idleTimer)
    return inputs?.push({ value: attachBlobs(skeleton, gatherer.blobs), held }, controller.signal)
  }

  const holdInput = (bytes: number): Disposable | undefined => {
    try {
      const held = budget.reserve(caller.peerId, bytes)
      heldInputs.add(held)
      return held
    } catch (error) {
      bodyDone()
      controller.abort(error)
      return undefined
    }
  }
  const onBody = (frame: Frame): Promise<void> | undefined => {
    if (header === undefined) throw outOfPlace(frame)
    if (args === undefined || bodyEnded) return undefined
    expectMore(frame.payload.length)
    received.addBytes(frame.payload)
    if (!args.complete) {
      if (frame.type !== FrameType.blob) throw outOfPlace(frame)
      args.add(frame.payload)
      // Without inputs the END frame, which proves the arguments, starts the function.
      if (args.complete && header.input) execute(header, args)
      return undefined
    }
    if (frame.type === FrameType.value && input === undefined && inputs !== undefined) {
      const { skeleton, blobBytes } = decodeValue(frame.payload, MAX_CHUNK_BYTES)
      received.addItem()
      const held = holdInput(sumOf(blobBytes) + memoryOf(frame.payload.length, skeleton))
      if (held === undefined) return undefined
      expectMore()
      input = { skeleton, gatherer: new BlobGatherer(blobBytes), held }
    } else if (frame.type === FrameType.blob && input !== undefined) {
      input.gatherer.add(frame.payload)
    } else {
      throw outOfPlace(frame)
    }
    return takeInput()
  }

  const onEnd = (frame: Frame): void => {
    if (bodyEnded) return
    if (header === undefined || args?.complete !== true || input !== undefined) throw outOfPlace(frame)
    received.check(frame.payload)
    bodyDone()
    if (inputs === undefined) execute(header, args)
    else inputs.end()
  }

  const sendResult = async (result: Value): Promise<void> => {
    // The reader of a stream may take its time; a lone result goes straight into the caller's memory.
    await sendValue(frames, sent, FrameType.result, result, streams ? undefined : RESULT_STALL_TIMEOUT_MS)
    frames.send(FrameType.end, 0, sent.encode())
  }
  const answerQuestion = async (payload: Uint8Array): Promise<void> => {
    const ask = decodeAsk(payload)
    const waitMs = Math.min(ask.waitMs, MAX_ASK_WAIT_MS)
    answering = ask.id
    const outcome = await executor.outcome(caller.peerId, ask, waitMs, controller.signal)
    if (outcome.state === 'done') {
      await sendResult(outcome.result)
    } else if (outcome.state === 'failed') {
      frames.send(FrameType.error, 0, encodeError(outcome.error))
    } else {
      frames.send(FrameType.verdict, 0, encodeVerdict(outcome.state))
    }
  }

  return {
    onFrame(frame) {
      switch (frame.type) {
        case FrameType.call:
          if (header !== undefined || asked) throw outOfPlace(frame)
          return begin(frame.payload)
        case FrameType.ask:
          if (header !== undefined || asked) throw outOfPlace(frame)
          asked = true
          bodyDone()
          // A question that cannot be answered says nothing of the call.
          answerQuestion(frame.payload).then(end, (error: unknown) => frames.abort(EasyNetError.from(error)))
          return undefined
        case FrameType.value:
        case FrameType.blob:
          return onBody(frame)
        case FrameType.end:
          return onEnd(frame)
        case FrameType.cancel:
          if (header === undefined && !asked) throw outOfPlace(frame)
          return controller.abort(new EasyNetError(decodeCancel(frame.payload), 'The caller ended the call.'))
        case FrameType.ack:
          if (answering === undefined) throw outOfPlace(frame)
          return executor.delivered(caller.peerId, answering)
        default:
          throw outOfPlace(frame)
      }
    },
    onClose() {
      clearTimeout(idleTimer)
      inputs?.fail(new EasyNetError('interrupted', 'The connection to the caller broke.'))
      // What nobody reads is stopped; a call with one result goes on, its caller may ask for it.
      if (streams || !bodyEnded)
        controller.abort(new EasyNetError('interrupted', 'The connection to the caller broke.'))
      // Otherwise the end of the call does it.
      if (!executing && !asked) end()
    },
  }
}

/** What the function takes no longer counts as waiting. */
async function* taken(
  inputs: AsyncIterable<{ value: Value; held: Disposable }>,
  heldInputs: Set<Disposable>,
): AsyncGenerator<Value> {
  for await (const { value, held } of inputs) {
    heldInputs.delete(held)
    held[Symbol.dispose]()
    yield value
  }
}

function sumOf(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0)
}

function checkChunk(value: Value): void {
  if (value instanceof Uint8Array && value.length > MAX_CHUNK_BYTES) {
    throw new EasyNetError('too_large', `A chunk has ${value.length} bytes; ${MAX_CHUNK_BYTES} are allowed.`)
  }
}

function outOfPlace(frame: Frame): EasyNetError {
  return new EasyNetError('protocol_violation', `A frame of type ${frame.type} came out of place.`)
}
