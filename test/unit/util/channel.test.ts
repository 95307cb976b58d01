import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createChannel } from '../../../src/util/channel.ts'

/** What is known of a promise now, after everything that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const mark = (): void => void (settled = true)
  promise.then(mark, mark)
  await new Promise((resolve) => setImmediate(resolve))
  return settled
}

test('everything arrives in order, whatever the capacity', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer()), fc.integer({ min: 1, max: 5 }), async (items, capacity) => {
      const channel = createChannel<number>(capacity)
      const write = async (): Promise<void> => {
        for (const item of items) await channel.push(item)
        channel.end()
      }
      const read: number[] = []
      const [,] = await Promise.all([
        write(),
        (async () => {
          for await (const item of channel) read.push(item)
        })(),
      ])
      expect(read).toEqual(items)
    }),
  )
})

test('push waits while the channel is full', async () => {
  const channel = createChannel<number>(2)
  expect(await isSettled(channel.push(1))).toBe(true)
  const second = channel.push(2)
  expect(await isSettled(second)).toBe(false)
  const reader = channel[Symbol.asyncIterator]()
  expect(await reader.next()).toEqual({ done: false, value: 1 })
  expect(await isSettled(second)).toBe(true)
})

test('a waiting push ends with the reason of its signal', async () => {
  const channel = createChannel<number>(1)
  const controller = new AbortController()
  const waiting = channel.push(1, controller.signal)
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ reason: 'cancelled' })
})

test('a failure comes after what was queued', async () => {
  const channel = createChannel<number>(4)
  await channel.push(1)
  channel.fail(new Error('broken'))
  const read: number[] = []
  const reading = (async () => {
    for await (const item of channel) read.push(item)
  })()
  await expect(reading).rejects.toThrow('broken')
  expect(read).toEqual([1])
})

test('the end frees waiting writers, and later items are dropped', async () => {
  const channel = createChannel<number>(1)
  const waiting = channel.push(1)
  channel.end()
  await waiting
  await channel.push(2)
  channel.fail(new Error('too late'))
  const read: number[] = []
  for await (const item of channel) read.push(item)
  expect(read).toEqual([1])
})

test('a reader that stops early tells so once and frees the writer', async () => {
  const channel = createChannel<number>(1)
  let cancels = 0
  channel.onCancel = () => (cancels += 1)
  const waiting = channel.push(1)
  const blocked = channel.push(2)
  for await (const item of channel) {
    expect(item).toBe(1)
    break
  }
  await Promise.all([waiting, blocked])
  await channel.push(3)
  expect(cancels).toBe(1)
})

test('a reader that read to the end does not cancel', async () => {
  const channel = createChannel<number>(2)
  channel.onCancel = () => expect.fail('cancelled')
  await channel.push(1)
  channel.end()
  for await (const item of channel) expect(item).toBe(1)
})
