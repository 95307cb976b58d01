import { expect, test } from 'vitest'
import { functionOptionsSchema } from '../../../src/model/function.ts'
import { createSlots } from '../../../src/runtimes/slots.ts'

function slotsOf(maxConcurrent: number, maxQueue: number) {
  return createSlots(functionOptionsSchema.parse({ name: 'f', maxConcurrent, maxQueue }))
}
const { signal } = new AbortController()
const queueFull = expect.objectContaining({ reason: 'queue_full', retryable: true }) as Error

test('a free place is given at once', () => {
  const slots = slotsOf(2, 0)
  expect(slots.acquire(signal)).toBeUndefined()
  expect(slots.acquire(signal)).toBeUndefined()
})

test('without a free place calls wait their turn, in order', async () => {
  const slots = slotsOf(1, 2)
  void slots.acquire(signal)
  const order: string[] = []
  const second = slots.acquire(signal)?.then(() => order.push('second'))
  const third = slots.acquire(signal)?.then(() => order.push('third'))
  slots.release()
  await second
  expect(order).toEqual(['second'])
  slots.release()
  await third
  expect(order).toEqual(['second', 'third'])
})

test('one more than may wait is refused, with the numbers', () => {
  const slots = slotsOf(1, 1)
  void slots.acquire(signal)
  expect(() => slots.check()).not.toThrow()
  void slots.acquire(signal)
  expect(() => slots.check()).toThrow(queueFull)
  expect(() => slots.acquire(signal)).toThrow(
    expect.objectContaining({ details: { running: 1, waiting: 1, maxConcurrent: 1, maxQueue: 1 } }),
  )
})

test('who stops waiting gives its place in the queue back', async () => {
  const slots = slotsOf(1, 1)
  void slots.acquire(signal)
  const controller = new AbortController()
  const waiting = slots.acquire(controller.signal)
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ reason: 'cancelled' })
  expect(() => slots.check()).not.toThrow()
  slots.release()
  expect(slots.acquire(signal)).toBeUndefined()
})

test('a call that was cancelled before it came takes no place in the queue', async () => {
  const slots = slotsOf(1, 1)
  void slots.acquire(signal)
  await expect(slots.acquire(AbortSignal.abort())).rejects.toMatchObject({ reason: 'cancelled' })
  expect(() => slots.check()).not.toThrow()
})
