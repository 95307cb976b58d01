import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readEvents } from '../../../src/sdk/sse.ts'

const text = ': keep-alive\n\nid: 1\nevent: a\ndata: {"n":1}\n\ndata: 你\ndata: 好\r\n\r\nid:2\n\n'
const expected = [
  { id: '1', type: 'a', data: '{"n":1}' },
  { id: '', type: 'message', data: '你\n好' },
]

test('events come out whole, wherever the bytes were split', async () => {
  const bytes = Buffer.from(text)
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length), fc.nat(bytes.length), async (a, b) => {
      const [first, second] = [Math.min(a, b), Math.max(a, b)]
      const parts = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
      const events = []
      for await (const event of readEvents(feed(parts))) events.push(event)
      expect(events).toEqual(expected)
    }),
  )
})

async function* feed(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}
