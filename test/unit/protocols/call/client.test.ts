import type { Stream } from '@libp2p/interface'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createCallClient } from '../../../../src/protocols/call/client.ts'
import { decodeCall } from '../../../../src/protocols/call/codec.ts'
import { FrameSplitter, FrameType } from '../../../../src/protocols/call/frames.ts'
import { createDeadline } from '../../../../src/util/signals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Milliseconds that the CALL frame gives to the provider, when the stream took `openMs` to open. */
async function timeSent(openMs: number, args: Uint8Array[]): Promise<number> {
  const sent: Uint8Array[] = []
  const stream = Object.assign(new EventTarget(), {
    status: 'open',
    readStatus: 'readable',
    writeStatus: 'writable',
    writeBufferLength: 0,
    maxReadBufferLength: 0,
    send: (data: Uint8Array) => sent.push(data) > 0,
    pause: () => undefined,
    resume: () => undefined,
    abort: () => undefined,
    close: async () => undefined,
  })
  const client = createCallClient({
    async openStream() {
      await new Promise((resolve) => setTimeout(resolve, openMs))
      return stream as unknown as Stream
    },
  })
  using deadline = createDeadline(5_000)
  const header = { id: '01a20e36-fb64-7bc4-8dab-0fabb8a2c7ad', fn: 'f', args, kwargs: {} }
  const call = { ...header, timeoutMs: 5_000, input: false, inputs: undefined, streams: false }
  const sink = { chunk: () => undefined, progress: () => undefined, log: () => undefined }
  client.call('peer', call, sink, deadline).catch(() => undefined)
  await vi.advanceTimersByTimeAsync(openMs + 10)
  const splitter = new FrameSplitter()
  for (const bytes of sent) splitter.push(bytes)
  const frame = splitter.next()
  expect(frame?.type).toBe(FrameType.call)
  return decodeCall(frame?.payload ?? new Uint8Array()).skeleton.timeoutMs
}

test.each([
  ['the shared stream', []],
  ['a stream of its own', [new Uint8Array(100_000)]],
])('the time that %s took to open is not given to the provider once more', async (_, args) => {
  expect(await timeSent(3_000, args)).toBe(2_000)
})
