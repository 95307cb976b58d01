import type { Stream } from '@libp2p/interface'
import { joinBytes } from '../../util/bytes.ts'
import { releaseBytes } from '../../util/release.ts'
import { streamClosed, waitUntilDrained } from '../drain.ts'
import {
  FINISH_TIMEOUT_MS,
  FRAME_HEADER_BYTES,
  MAX_BLOB_FRAME_BYTES,
  MAX_READ_BUFFER_BYTES,
  MIN_BLOB_BYTES,
  WRITE_HIGH_WATER_BYTES,
} from './constants.ts'
import { type Frame, frameHeader, FrameSplitter, FrameType } from './frames.ts'

/** Frames over one libp2p stream: written once per tick, read with back-pressure. */
export interface FrameStream {
  /** Queues a frame; everything queued in this tick is sent as one buffer. */
  send(type: FrameType, call: number, payload: Uint8Array): void
  /**
   * Sends byte strings as BLOB frames, as fast as the other side takes them.
   * @param maxStallMs - a reader that takes nothing for so long is gone
   */
  sendBlobs(call: number, blobs: readonly Uint8Array[], maxStallMs?: number): Promise<void>
  /** True when the other side does not take what we send: what may be left out should be. */
  readonly isBehind: boolean
  /** Resolves when the other side has taken enough; undefined when there is room now. */
  drained(): Promise<void> | undefined
  /** Sends what is queued, then closes our direction. The other side has a few seconds to close its own. */
  close(): Promise<void>
  abort(error: Error): void
}

export interface FrameListener {
  /**
   * A returned promise stops the reading until it resolves. Throwing resets the stream. The payload of a
   * BLOB frame is gone when this has returned.
   */
  onFrame(frame: Frame): Promise<void> | void
  /** The last frame was handled: no more will come. `error` is set when the stream was cut. */
  onClose(error?: Error): void
}

/** So much leaves before the tick ends: the other side works on it while this one makes the rest. */
const EARLY_BYTES = 2 * 1024
const EMPTY = new Uint8Array(0)

export function createFrameStream(stream: Stream, listener: FrameListener): FrameStream {
  const splitter = new FrameSplitter()
  let handling = false
  let resuming = false
  let closed: { error?: Error } | undefined
  let reported = false
  let queue: Uint8Array[] = []
  let queuedBytes = 0
  let isFlushing = false
  let closing: NodeJS.Timeout | undefined
  stream.maxReadBufferLength = MAX_READ_BUFFER_BYTES

  const fail = (error: unknown): void => {
    const cause = error instanceof Error ? error : new Error(String(error))
    closed ??= { error: cause }
    handling = false
    stream.abort(cause)
    report()
  }
  const report = (): void => {
    // A cut is told at once: whoever handles the last frame may be waiting for just that.
    if (closed === undefined || reported || (handling && closed.error === undefined)) return
    reported = true
    clearTimeout(closing)
    // The other side only said that it sends no more: what the last frame made us send it still reads.
    if (closed.error === undefined) flush()
    queue = []
    if (closed.error === undefined) listener.onClose()
    else listener.onClose(closed.error)
  }
  const handleAll = (): void => {
    if (handling) return
    try {
      for (let frame = splitter.next(); frame !== undefined && !reported; frame = splitter.next()) {
        const wait = listener.onFrame(frame)
        if (frame.type === FrameType.blob) releaseBytes(frame.payload)
        if (wait === undefined) continue
        handling = true
        pause()
        wait.then(() => {
          handling = false
          resume()
          handleAll()
        }, fail)
        return
      }
    } catch (error) {
      fail(error)
    }
    report()
  }
  const pause = (): void => {
    if (!resuming && stream.readStatus === 'readable') stream.pause()
  }
  /**
   * libp2p delivers what is buffered inside `resume()` and opens the window after that, even when the
   * delivery made us pause again: so that pause has to wait until `resume()` has returned.
   */
  const resume = (): void => {
    if (stream.readStatus !== 'paused') return
    resuming = true
    stream.resume()
    resuming = false
    if (handling) pause()
  }
  const close = (error?: Error): void => {
    closed ??= error === undefined ? {} : { error }
    if (error !== undefined) closed.error ??= error
    if (handling) report()
    else handleAll()
  }
  stream.addEventListener('message', ({ data }) => {
    splitter.push(data)
    handleAll()
  })
  stream.addEventListener('end', () => close())
  stream.addEventListener('close', ({ error }) => close(error))
  // The other side may have reset the stream before anybody listened; what it had sent comes first.
  if (stream.status !== 'open') queueMicrotask(() => close(new Error(`the stream is ${stream.status}`)))

  const flush = (): void => {
    isFlushing = false
    if (queue.length === 0) return
    const data = joinBytes(queue)
    queue = []
    queuedBytes = 0
    if (stream.writeStatus === 'writable') stream.send(data)
  }
  const drained = (maxStallMs?: number): Promise<void> | undefined => {
    if (queuedBytes + stream.writeBufferLength < WRITE_HIGH_WATER_BYTES) return undefined
    flush()
    return waitUntilDrained(stream, { belowBytes: WRITE_HIGH_WATER_BYTES / 2, maxStallMs })
  }

  return {
    send(type, call, payload) {
      if (stream.writeStatus !== 'writable') return
      queue.push(frameHeader(type, call, payload.length))
      if (payload.length > 0) queue.push(payload)
      queuedBytes += FRAME_HEADER_BYTES + payload.length
      if (queuedBytes >= EARLY_BYTES) flush()
      if (isFlushing) return
      isFlushing = true
      // Not `setImmediate`: that comes after the network has written what it has for this turn, so that our
      // answer and the library's own window update were two writes.
      process.nextTick(flush)
    },
    get isBehind() {
      return queuedBytes + stream.writeBufferLength >= WRITE_HIGH_WATER_BYTES
    },
    async sendBlobs(call, blobs, maxStallMs) {
      for (const blob of blobs) {
        for (let at = 0; at < blob.length; at += MAX_BLOB_FRAME_BYTES) {
          const part = blob.subarray(at, at + MAX_BLOB_FRAME_BYTES)
          if (stream.writeStatus !== 'writable') throw streamClosed()
          queue.push(frameHeader(FrameType.blob, call, part.length))
          const isSmall = part.length < MIN_BLOB_BYTES
          if (isSmall) queue.push(part)
          flush()
          // Of its own, so that it is not copied.
          if (!isSmall) stream.send(part)
          await drained(maxStallMs)
        }
      }
    },
    drained: () => drained(),
    async close() {
      flush()
      closing ??= setTimeout(() => stream.abort(streamClosed()), FINISH_TIMEOUT_MS).unref()
      if (stream.status === 'open') await stream.close({ signal: AbortSignal.timeout(5_000) })
    },
    abort: (error) => stream.abort(error),
  }
}

/** An empty payload, for frames that say all by their type. */
export const NO_PAYLOAD = EMPTY
