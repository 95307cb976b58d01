import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { createFrameStream } from '../../../../src/protocols/call/frame-stream.ts'
import { frameHeader, FrameSplitter, FrameType } from '../../../../src/protocols/call/frames.ts'

/** As much of a libp2p stream as frames need; `status` is what it is when we get it. */
function streamThatIs(status: 'open' | 'reset' | 'aborted' | 'closed') {
  const target = new EventTarget()
  const sent: Uint8Array[] = []
  const stream = Object.assign(target, {
    status,
    readStatus: status === 'open' ? 'readable' : 'closed',
    writeStatus: status === 'open' ? 'writable' : 'closed',
    writeBufferLength: 0,
    maxReadBufferLength: 0,
    send: (data: Uint8Array) => sent.push(data) > 0,
    pause: () => void (stream.readStatus = 'paused'),
    resume: () => void (stream.readStatus = 'readable'),
    abort: () => undefined,
    close: async () => undefined,
  })
  const emit = (type: string, fields: object = {}): boolean =>
    target.dispatchEvent(Object.assign(new Event(type), fields))
  return { stream: stream as unknown as Stream, emit, sent }
}

test.each(['reset', 'aborted', 'closed'] as const)(
  'a stream that was %s before anybody listened is told as closed, so that no call waits for it',
  async (status) => {
    const { stream } = streamThatIs(status)
    const closed = Promise.withResolvers<Error | undefined>()
    createFrameStream(stream, { onFrame: () => undefined, onClose: closed.resolve })
    expect(await closed.promise).toBeInstanceOf(Error)
  },
)

test('a cut is told while a frame is still being handled', () => {
  const { stream, emit } = streamThatIs('open')
  const seen: string[] = []
  createFrameStream(stream, {
    onFrame: () => new Promise(() => undefined),
    onClose: (error) => seen.push(error?.message ?? 'closed'),
  })
  emit('message', { data: frameHeader(FrameType.accepted, 0, 0) })
  expect(seen).toEqual([])
  emit('close', { error: new Error('cut') })
  expect(seen).toEqual(['cut'])
})

test('what the last frame made us send is sent, though the end of the other side came in the same turn', async () => {
  const { stream, emit, sent } = streamThatIs('open')
  const frames = createFrameStream(stream, {
    onFrame: () => frames.send(FrameType.ack, 0, new Uint8Array(0)),
    onClose: () => undefined,
  })
  emit('message', { data: frameHeader(FrameType.end, 0, 0) })
  emit('end')
  await new Promise((resolve) => setImmediate(resolve))
  expect(sent.map((data) => data[4])).toEqual([FrameType.ack])
})

test('long byte strings are sent as they are, and come back out of the frames', async () => {
  const { stream, sent } = streamThatIs('open')
  const frames = createFrameStream(stream, { onFrame: () => undefined, onClose: () => undefined })
  const blobs = [600_000, 5, 20_000].map((length, index) => new Uint8Array(length).fill(index + 1))
  frames.send(FrameType.value, 0, Uint8Array.of(0))
  await frames.sendBlobs(0, blobs)
  const isCopy = (bytes: Uint8Array): boolean => !blobs.some((blob) => blob.buffer === bytes.buffer)
  expect(sent.filter(isCopy).every((bytes) => bytes.length < 100)).toBe(true)
  const splitter = new FrameSplitter()
  splitter.push(sent)
  expect(splitter.next()).toMatchObject({ type: FrameType.value })
  const payloads: Uint8Array[] = []
  for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) payloads.push(frame.payload)
  expect(Buffer.compare(Buffer.concat(payloads), Buffer.concat(blobs))).toBe(0)
})

test('the memory of a BLOB payload is given back when it was handled, unless it is part of something else', () => {
  const { stream, emit } = streamThatIs('open')
  const lengths: number[] = []
  createFrameStream(stream, {
    onFrame: ({ payload }) => void lengths.push(payload.length),
    onClose: () => undefined,
  })
  const own = new Uint8Array(10_000)
  const shared = new Uint8Array(20_000).subarray(0, 10_000)
  emit('message', { data: [frameHeader(FrameType.blob, 0, 20_000), own, shared] })
  expect(lengths).toEqual([10_000, 10_000])
  expect([own.length, shared.length]).toEqual([0, 10_000])
  const value = new Uint8Array(10_000)
  emit('message', { data: [frameHeader(FrameType.value, 0, 10_000), value] })
  expect(value.length).toBe(10_000)
})
