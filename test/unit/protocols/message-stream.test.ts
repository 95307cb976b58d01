import type { Stream } from '@libp2p/interface'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readMessage, readMessages, sendMessage } from '../../../src/protocols/message-stream.ts'

const MAX_BYTES = 100
const { signal } = new AbortController()

/** As much of a stream as the code uses: what was sent, and the chunks that arrive. */
function stubStream(chunks: readonly Uint8Array[] = [], isOpen = false) {
  const sent: Uint8Array[] = []
  const aborted = Promise.withResolvers<never>()
  aborted.promise.catch(() => undefined)
  const stream = {
    send: (bytes: Uint8Array) => void sent.push(bytes),
    abort: (error: Error) => aborted.reject(error),
    async *[Symbol.asyncIterator]() {
      for (const chunk of chunks) yield chunk
      if (isOpen) await aborted.promise
    },
  } as unknown as Stream
  return { stream, sent }
}
function encode(messages: readonly Uint8Array[]): Buffer {
  const { stream, sent } = stubStream()
  for (const message of messages) sendMessage(stream, message)
  return Buffer.concat(sent)
}
async function read(chunks: readonly Uint8Array[]): Promise<Uint8Array[]> {
  return Array.fromAsync(readMessages(stubStream(chunks).stream, MAX_BYTES, signal))
}
function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => whole.subarray(from, at[index] ?? whole.length))
}

test('messages come back however the bytes are split', async () => {
  const messages = fc.array(fc.uint8Array({ maxLength: MAX_BYTES }), { maxLength: 10 })
  await fc.assert(
    fc.asyncProperty(messages, fc.array(fc.nat(), { maxLength: 30 }), async (messages, places) => {
      expect(await read(cut(encode(messages), places))).toEqual(messages)
    }),
  )
})

test('a message that is too long is refused by its length alone', async () => {
  for (const length of [MAX_BYTES + 1, 0xffff_ffff]) {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(length)
    await expect(read([head])).rejects.toMatchObject({ reason: 'protocol_violation' })
  }
})

test('a message stays as it was when more bytes come', async () => {
  const first = Uint8Array.of(1, 2, 3)
  const messages = readMessages(
    stubStream([encode([first]), encode([new Uint8Array(90).fill(9)])]).stream,
    MAX_BYTES,
    signal,
  )
  const { value } = await messages.next()
  await messages.next()
  expect(value).toEqual(first)
})

test('who closes without a word, or in the middle of one, breaks the protocol', async () => {
  for (const chunks of [[], [encode([new Uint8Array(9)]).subarray(0, 8)]]) {
    await expect(readMessage(stubStream(chunks).stream, MAX_BYTES, signal)).rejects.toMatchObject({
      reason: 'protocol_violation',
    })
  }
})

test('who says nothing is cut off by the signal', async () => {
  const controller = new AbortController()
  const reading = readMessage(stubStream([Uint8Array.of(0, 0)], true).stream, MAX_BYTES, controller.signal)
  controller.abort(new DOMException('time', 'TimeoutError'))
  await expect(reading).rejects.toMatchObject({ reason: 'deadline_exceeded' })
})
