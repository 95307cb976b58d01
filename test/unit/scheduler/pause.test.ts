import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createArrivals } from '../../../src/daemon/arrivals.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import { pause } from '../../../src/scheduler/pause.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Milliseconds that a pause for "f" took. */
function startPause(before: number, signal = new AbortController().signal) {
  const arrivals = createArrivals()
  const startedAt = performance.now()
  const nextProvider = arrivals.next.bind(arrivals)
  const tookMs = pause({ nextProvider }, 'f', before, signal).then(() => performance.now() - startedAt)
  tookMs.catch(() => undefined)
  return { tookMs, came: (name: string) => arrivals.came([{ name: 'other' }, { name }]) }
}

test.each([
  [0, 100],
  [1, 200],
  [4, 1_600],
  [5, 2_000],
  [500, 2_000],
])('after %i pauses the next takes %i ms when nobody comes', async (before, ms) => {
  const { tookMs, came } = startPause(before)
  await vi.advanceTimersByTimeAsync(50)
  came('another function')
  await vi.advanceTimersByTimeAsync(ms - 50)
  expect(await tookMs).toBe(ms)
})

test('it ends when a provider of the function comes', async () => {
  const { tookMs, came } = startPause(5)
  await vi.advanceTimersByTimeAsync(300)
  came('f')
  expect(await tookMs).toBe(300)
})

test('a provider that comes and goes does not make it shorter than 100 ms', async () => {
  const { tookMs, came } = startPause(5)
  came('f')
  await vi.advanceTimersByTimeAsync(100)
  expect(await tookMs).toBe(100)
})

test('it ends with the reason of the signal', async () => {
  const cancel = new AbortController()
  const { tookMs } = startPause(5, cancel.signal)
  await vi.advanceTimersByTimeAsync(500)
  cancel.abort(new EasyNetError('cancelled', 'enough'))
  await expect(tookMs).rejects.toMatchObject({ reason: 'cancelled' })
})
