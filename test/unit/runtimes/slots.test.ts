import { afterAll, expect, test } from 'vitest'
import { functionOptionsSchema } from '../../../src/model/function.ts'
import { createSlots } from '../../../src/runtimes/slots.ts'
import { createDeadline } from '../../../src/util/signals.ts'

function slotsOf(maxConcurrent: number, maxQueue: number) {
  return createSlots(functionOptionsSchema.parse({ name: 'f', maxConcurrent, maxQueue }))
}
const deadline = createDeadline(60_000)
afterAll(() => deadline[Symbol.dispose]())
const queueFull = expect.objectContaining({ reason: 'queue_full', retryable: true }) as Error

test('a free place is given at once', () => {
  const slots = slotsOf(2, 0)
  expect(slots.acquire(deadline)).toBeUndefined()
  expect(slots.acquire(deadline)).toBeUndefined()
})

test('without a free place calls wait their turn, in order', async () => {
  const slots = slotsOf(1, 2)
  void slots.acquire(deadline)
  const order: string[] = []
  const second = slots.acquire(deadline)?.then(() => order.push('second'))
  const third = slots.acquire(deadline)?.then(() => order.push('third'))
  slots.release()
  await second
  expect(order).toEqual(['second'])
  slots.release()
  await third
  expect(order).toEqual(['second', 'third'])
})

test('one more than may wait is refused, with the numbers', () => {
  const slots = slotsOf(1, 1)
  void slots.acquire(deadline)
  expect(() => slots.check()).not.toThrow()
  void slots.acquire(deadline)
  expect(() => slots.check()).toThrow(queueFull)
  expect(() => slots.acquire(deadline)).toThrow(
    expect.objectContaining({ details: { running: 1, waiting: 1, maxConcurrent: 1, maxQueue: 1 } }),
  )
})

test('who stops waiting gives its place in the queue back', async () => {
  const slots = slotsOf(1, 1)
  void slots.acquire(deadline)
  const controller = new AbortController()
  const waiting = slots.acquire(createDeadline(60_000, controller.signal))
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ reason: 'cancelled' })
  expect(() => slots.check()).not.toThrow()
  slots.release()
  expect(slots.acquire(deadline)).toBeUndefined()
})

test('a call that was cancelled before it came takes no place in the queue', async () => {
  const slots = slotsOf(1, 1)
  void slots.acquire(deadline)
  await expect(slots.acquire(createDeadline(60_000, AbortSignal.abort()))).rejects.toMatchObject({
    reason: 'cancelled',
  })
  expect(() => slots.check()).not.toThrow()
})
