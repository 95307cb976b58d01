import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import type { SignedAdvert } from '../../../../src/model/advert.ts'
import { encodeQuestion, type Selection } from '../../../../src/protocols/capability/codec.ts'
import { createCapabilityHandler } from '../../../../src/protocols/capability/handler.ts'

/** A stream that holds what it is given until it is told that the other side takes it. */
class SlowStream extends EventTarget {
  readonly question: Uint8Array
  writeBufferLength = 0
  writeStatus = 'writable'
  sent = 0
  isClosed = false
  constructor(question: Uint8Array) {
    super()
    this.question = question
  }
  async *[Symbol.asyncIterator]() {
    const bytes = Buffer.alloc(4 + this.question.length, this.question)
    bytes.writeUInt32BE(this.question.length)
    bytes.set(this.question, 4)
    yield { subarray: () => bytes }
    await Promise.resolve()
  }
  send(bytes: Uint8Array): void {
    this.sent += 1
    this.writeBufferLength += bytes.length
  }
  /** As libp2p has it: the first promise, again and again. */
  onDrain = async (): Promise<void> => Promise.resolve()
  take(): void {
    this.writeBufferLength = 0
    this.dispatchEvent(new Event('drain'))
  }
  async close(): Promise<void> {
    this.isClosed = true
    await Promise.resolve()
  }
}

function advertOf(peerId: string, name: string, size: number): SignedAdvert {
  const advert = { peerId, seq: 1, functions: [{ name }] } as unknown as SignedAdvert['advert']
  return { advert, bytes: new Uint8Array(size) }
}
function answer(adverts: SignedAdvert[], selection?: Selection) {
  const slow = new SlowStream(encodeQuestion(new Map(), selection))
  const done = createCapabilityHandler({ adverts: () => adverts })(slow as unknown as Stream)
  return { slow, done }
}
const soon = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

test('what a slow reader has not taken is bounded all the way through an answer', async () => {
  const adverts = Array.from({ length: 40 }, (_, n) => advertOf(`p${n}`, 'f', 100_000))
  const { slow, done } = answer(adverts)
  let most = 0
  while (!slow.isClosed) {
    await soon()
    most = Math.max(most, slow.writeBufferLength)
    slow.take()
  }
  await done
  expect(slow.sent).toBe(40)
  expect(most).toBeLessThan(1_000_000)
})

test('a question about a function is answered with those that offer it', async () => {
  const { slow, done } = answer([advertOf('a', 'f', 10), advertOf('b', 'g', 10)], { offering: 'g' })
  await done
  expect([slow.sent, slow.isClosed]).toEqual([1, true])
})
