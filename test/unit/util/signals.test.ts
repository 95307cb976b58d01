import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { abortReason, createDeadline, onAbort, raceSignal, sleep } from '../../../src/util/signals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a deadline aborts with deadline_exceeded when its time is over', () => {
  using deadline = createDeadline(100)
  vi.advanceTimersByTime(99)
  expect(deadline.signal.aborted).toBe(false)
  expect(deadline.remainingMs()).toBe(1)
  vi.advanceTimersByTime(1)
  expect(deadline.signal.reason).toMatchObject({ reason: 'deadline_exceeded', details: { timeoutMs: 100 } })
  vi.advanceTimersByTime(50)
  expect(deadline.remainingMs()).toBe(0)
})

test("a deadline ends early with its parent's reason", () => {
  const parent = new AbortController()
  using deadline = createDeadline(100, parent.signal)
  const reason = new EasyNetError('interrupted', 'gone')
  parent.abort(reason)
  expect(deadline.signal.reason).toBe(reason)
})

test('a parent that has ended already ends the deadline at once', () => {
  using deadline = createDeadline(100, AbortSignal.abort())
  expect(deadline.signal.reason).toMatchObject({ reason: 'cancelled' })
})

test('a disposed deadline leaves no timer behind', () => {
  createDeadline(100)[Symbol.dispose]()
  expect(vi.getTimerCount()).toBe(0)
})

test('a deadline of years does not fire at once', () => {
  using deadline = createDeadline(Number.MAX_SAFE_INTEGER)
  vi.advanceTimersByTime(60_000)
  expect(deadline.signal.aborted).toBe(false)
})

test('a listener runs once, at once when it is too late, and not after it was unlinked', () => {
  const calls: string[] = []
  const controller = new AbortController()
  onAbort(controller.signal, () => calls.push('linked'))
  onAbort(controller.signal, () => calls.push('unlinked'))()
  controller.abort()
  onAbort(controller.signal, () => calls.push('late'))
  onAbort(undefined, () => calls.push('never'))
  expect(calls).toEqual(['linked', 'late'])
})

test('the reason of a signal is ours, a timeout is a deadline, everything else a cancel', async () => {
  const own = new EasyNetError('draining', 'stop')
  expect(abortReason(AbortSignal.abort(own))).toBe(own)
  const timeout = new DOMException('time', 'TimeoutError')
  expect(abortReason(AbortSignal.abort(timeout)).reason).toBe('deadline_exceeded')
  expect(abortReason(AbortSignal.abort('text'))).toMatchObject({ reason: 'cancelled', cause: 'text' })
  expect(abortReason(undefined).reason).toBe('cancelled')
})

test('sleep resolves after its time and rejects when it is cut short', async () => {
  const slept = sleep(100)
  await vi.advanceTimersByTimeAsync(100)
  await slept
  const controller = new AbortController()
  const cut = sleep(100, controller.signal)
  controller.abort()
  await expect(cut).rejects.toMatchObject({ reason: 'cancelled' })
  await expect(sleep(100, controller.signal)).rejects.toMatchObject({ reason: 'cancelled' })
  expect(vi.getTimerCount()).toBe(0)
})

test('raceSignal gives the value, or the reason of whichever abort came first', async () => {
  const controller = new AbortController()
  expect(await raceSignal(Promise.resolve(1), controller.signal)).toBe(1)
  expect(await raceSignal(Promise.resolve(2), undefined)).toBe(2)
  const raced = raceSignal(new Promise(() => {}), controller.signal)
  controller.abort(new EasyNetError('interrupted', 'x'))
  await expect(raced).rejects.toMatchObject({ reason: 'interrupted' })
  const late = Promise.reject(new Error('lost the race'))
  await expect(raceSignal(late, controller.signal)).rejects.toThrow()
})

test('a deadline tells whoever watches it, once, and those who come later at once', () => {
  const reason = new EasyNetError('cancelled', 'no longer wanted')
  const deadline = createDeadline(60_000)
  const told: string[] = []
  const listener = (name: string) => ({
    ended: (why: EasyNetError) => void told.push(`${name} ${why.reason}`),
  })
  const gone = listener('gone')
  deadline.watch(gone)
  deadline.watch(listener('one'))
  deadline.watch(listener('two'))
  deadline.unwatch(gone)
  expect(deadline.reason).toBeUndefined()
  deadline.abort(reason)
  deadline.abort(new EasyNetError('interrupted', 'too late'))
  expect(told).toEqual(['one cancelled', 'two cancelled'])
  deadline.watch(listener('late'))
  expect(told.at(-1)).toBe('late cancelled')
  expect(deadline.signal.reason).toBe(reason)
})

test('a deadline ends with the one that it belongs to, and no more once it is disposed of', () => {
  const parent = createDeadline(60_000)
  const child = createDeadline(60_000, parent)
  const disposed = createDeadline(60_000, parent)
  disposed[Symbol.dispose]()
  parent.abort(new EasyNetError('cancelled', 'enough'))
  expect(child.reason).toBe(parent.reason)
  expect(disposed.reason).toBeUndefined()
  expect(createDeadline(60_000, parent).reason).toBe(parent.reason)
})
