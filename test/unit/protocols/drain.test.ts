import type { Stream } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { waitUntilDrained } from '../../../src/protocols/drain.ts'

/** A stream whose other side takes what it holds when it is told to. */
class SlowStream extends EventTarget {
  writeBufferLength = 0
  writeStatus = 'writable'
  take(bytes: number): void {
    this.writeBufferLength -= bytes
    this.dispatchEvent(new Event('drain'))
  }
  cut(): void {
    this.writeStatus = 'closed'
    this.dispatchEvent(new Event('close'))
  }
}
function setUp() {
  const slow = new SlowStream()
  return { slow, stream: slow as unknown as Stream }
}
const soon = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))

test('it waits every time, and not only the first one', async () => {
  const { slow, stream } = setUp()
  for (let n = 0; n < 3; n += 1) {
    slow.writeBufferLength = 100
    let isOver = false
    const wait = waitUntilDrained(stream, { belowBytes: 50 }).then(() => (isOver = true))
    await soon()
    slow.take(40)
    await soon()
    expect(isOver).toBe(false)
    slow.take(40)
    await wait
  }
})

test('a closed stream ends the wait', async () => {
  const { slow, stream } = setUp()
  slow.writeBufferLength = 100
  const failed = expect(waitUntilDrained(stream, { belowBytes: 50 })).rejects.toMatchObject({
    reason: 'peer_unreachable',
  })
  await soon()
  slow.cut()
  await failed
})

test('a reader that takes nothing, and a signal, end the wait', async () => {
  const { slow, stream } = setUp()
  slow.writeBufferLength = 100
  await expect(waitUntilDrained(stream, { belowBytes: 50, maxStallMs: 10 })).rejects.toMatchObject({
    reason: 'deadline_exceeded',
  })
  const stop = new AbortController()
  const failed = expect(
    waitUntilDrained(stream, { belowBytes: 50, signal: stop.signal }),
  ).rejects.toMatchObject({
    reason: 'cancelled',
  })
  stop.abort()
  await failed
})
