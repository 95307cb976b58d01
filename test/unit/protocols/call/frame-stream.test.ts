import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { createFrameStream } from '../../../../src/protocols/call/frame-stream.ts'
import { frameHeader, FrameType } from '../../../../src/protocols/call/frames.ts'

/** As much of a libp2p stream as frames need; `status` is what it is when we get it. */
function streamThatIs(status: 'open' | 'reset' | 'aborted' | 'closed') {
  const target = new EventTarget()
  const stream = Object.assign(target, {
    status,
    readStatus: status === 'open' ? 'readable' : 'closed',
    writeStatus: status === 'open' ? 'writable' : 'closed',
    writeBufferLength: 0,
    maxReadBufferLength: 0,
    send: () => true,
    pause: () => void (stream.readStatus = 'paused'),
    resume: () => void (stream.readStatus = 'readable'),
    abort: () => undefined,
    close: async () => undefined,
  })
  const emit = (type: string, fields: object = {}): boolean =>
    target.dispatchEvent(Object.assign(new Event(type), fields))
  return { stream: stream as unknown as Stream, emit }
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
