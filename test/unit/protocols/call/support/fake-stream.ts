import type { Stream } from '@libp2p/interface'
import {
  type Frame,
  frameHeader,
  FrameSplitter,
  type FrameType,
} from '../../../../../src/protocols/call/frames.ts'

/** A libp2p stream without a network: the test is the other side. */
export interface FakeStream {
  stream: Stream
  /** The other side sends a frame. */
  receive: (type: number, call: number, payload?: Uint8Array) => void
  /** What was sent to the other side so far: type and call number of each frame. */
  sent: () => Promise<[type: number, call: number][]>
  /** Why this side has reset it; undefined while it has not. */
  aborted: () => Error | undefined
  /** The other side resets it. */
  reset: () => void
}

export function fakeStream(): FakeStream {
  const target = new EventTarget()
  const written: Uint8Array[] = []
  let abortedWith: Error | undefined
  const emit = (type: string, fields: object): void => {
    target.dispatchEvent(Object.assign(new Event(type), fields))
  }
  const end = (status: string, error?: Error): void => {
    if (stream.status !== 'open') return
    Object.assign(stream, { status, writeStatus: 'closed', readStatus: 'closed' })
    emit('close', { error })
  }
  const stream = Object.assign(target, {
    status: 'open',
    readStatus: 'readable',
    writeStatus: 'writable',
    writeBufferLength: 0,
    maxReadBufferLength: 0,
    send: (data: Uint8Array) => written.push(Uint8Array.from(data)) > 0,
    pause: () => undefined,
    resume: () => undefined,
    abort(error: Error) {
      abortedWith ??= error
      end('aborted', error)
    },
    close: async () => end('closed'),
  })
  return {
    stream: stream as unknown as Stream,
    receive(type, call, payload = new Uint8Array(0)) {
      const header = frameHeader(type as FrameType, call, payload.length)
      emit('message', { data: Buffer.concat([header, payload]) })
    },
    async sent() {
      await new Promise((resolve) => setImmediate(resolve))
      const splitter = new FrameSplitter()
      for (const data of written) splitter.push(data)
      const frames: Frame[] = []
      for (let next = splitter.next(); next !== undefined; next = splitter.next()) frames.push(next)
      return frames.map(({ type, call }) => [type, call])
    },
    aborted: () => abortedWith,
    reset: () => end('reset', new Error('reset by the other side')),
  }
}
