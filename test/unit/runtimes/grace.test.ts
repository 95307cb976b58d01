import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import type { CallSink, FunctionRunner, Invocation } from '../../../src/model/call.ts'
import { runWithGrace } from '../../../src/runtimes/grace.ts'
import { createDeadline } from '../../../src/util/signals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const sink: CallSink = { chunk: () => undefined, progress: () => undefined, log: () => undefined }

function setUp(run: FunctionRunner['run'], isAborted = false) {
  const controller = new AbortController()
  if (isAborted) controller.abort()
  const kill = vi.fn<(reason: string) => void>()
  const onEnd = vi.fn<() => void>()
  const invocation: Invocation = {
    id: 'id',
    fn: 'f',
    args: [],
    kwargs: {},
    caller: { peerId: 'p', name: 'p' },
    timeoutMs: 1_000,
    deadline: createDeadline(60_000, controller.signal),
  }
  const result = runWithGrace({ run, kill }, invocation, sink, { graceMs: 2_000, onEnd })
  result.catch(() => undefined)
  return { result, controller, kill, onEnd }
}

test('a result is passed on, and the place is free', async () => {
  const { result, onEnd } = setUp(async () => 5)
  expect(await result).toBe(5)
  expect(onEnd).toHaveBeenCalledTimes(1)
})

test.each([
  ['an error', new TypeError('bad input'), 'bad input', 'TypeError'],
  ['a text', 'bad input', 'bad input', 'Error'],
  ['nothing', undefined, 'undefined', 'Error'],
  ['what cannot become a text', Object.create(null), 'Something that is no error was thrown.', 'Error'],
])('a function that throws %s fails with function_error', async (_, thrown, message, name) => {
  const { result } = setUp(async () => Promise.reject(thrown as Error))
  await expect(result).rejects.toMatchObject({ reason: 'function_error', message, details: { name } })
})

test('an error of ours keeps its reason', async () => {
  const error = new EasyNetError('interrupted', 'the program is gone')
  await expect(setUp(async () => Promise.reject(error)).result).rejects.toBe(error)
})

test('the caller has its answer at the cancel; the place stays taken until the function ends', async () => {
  const running = Promise.withResolvers<null>()
  const { result, controller, onEnd, kill } = setUp(async () => running.promise)
  controller.abort()
  await expect(result).rejects.toMatchObject({ reason: 'cancelled' })
  expect(onEnd).not.toHaveBeenCalled()
  running.resolve(null)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(onEnd).toHaveBeenCalledTimes(1)
  expect(kill).not.toHaveBeenCalled()
})

test('a function that ignores its cancel for the grace time is killed', async () => {
  const { result, controller, kill, onEnd } = setUp(async () => new Promise(() => {}))
  controller.abort()
  await expect(result).rejects.toMatchObject({ reason: 'cancelled' })
  vi.advanceTimersByTime(1_999)
  expect(kill).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(kill).toHaveBeenCalledWith('"f" ignored its cancel for 2000 ms')
  expect(onEnd).not.toHaveBeenCalled()
})

test('a call that was cancelled before it started does not start, and nothing is killed', async () => {
  const run = vi.fn<FunctionRunner['run']>(async () => new Promise(() => {}))
  const { result, onEnd, kill } = setUp(run, true)
  await expect(result).rejects.toMatchObject({ reason: 'cancelled' })
  await vi.advanceTimersByTimeAsync(5_000)
  expect(run).not.toHaveBeenCalled()
  expect(onEnd).toHaveBeenCalledTimes(1)
  expect(kill).not.toHaveBeenCalled()
})
