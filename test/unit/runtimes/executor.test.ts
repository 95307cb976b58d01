import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { createFunctionRegistry } from '../../../src/functions/registry.ts'
import type { CallSink, FunctionRunner, Invocation } from '../../../src/model/call.ts'
import type { FunctionOptions } from '../../../src/model/function.ts'
import type { Value } from '../../../src/model/value.ts'
import { createExecutor, type ExecutorInit } from '../../../src/runtimes/executor.ts'
import type { ExecutionJournal, JournalRecord } from '../../../src/runtimes/ports.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { createDeadline } from '../../../src/util/signals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const sink: CallSink = { chunk: () => undefined, progress: () => undefined, log: () => undefined }
const { signal } = new AbortController()
const hasReason = (reason: string) => expect.objectContaining({ reason }) as Error

/** A journal in memory. Records given to it are those of an earlier boot. */
function stubJournal(records = new Map<string, JournalRecord>()) {
  let failure: EasyNetError | undefined
  const journal: ExecutionJournal = {
    async start({ caller, id }) {
      if (failure !== undefined) throw failure
      const known = records.get(`${caller} ${id}`)
      if (known !== undefined) return known
      records.set(`${caller} ${id}`, { state: 'started' })
      return 'started'
    },
    async finish(caller, id, outcome) {
      if (failure !== undefined) throw failure
      records.set(`${caller} ${id}`, outcome)
    },
    find: (caller, id) => records.get(`${caller} ${id}`),
    remembers: (ageMs) => ageMs < 60_000,
  }
  return { journal, records, failWith: (error: EasyNetError) => (failure = error) }
}

interface Running {
  invocation: Invocation
  resolve(value: Value): void
  reject(error: Error): void
}

/** One function whose runs the test ends by hand. */
function setUp(options: Partial<FunctionOptions> = {}, init: ExecutorInit = {}, stub = stubJournal()) {
  const runs: Running[] = []
  const kill = vi.fn<(reason: string) => void>()
  const runner: FunctionRunner = {
    kill,
    async run(invocation) {
      const { promise, resolve, reject } = Promise.withResolvers<Value>()
      runs.push({ invocation, resolve, reject })
      return promise
    },
  }
  const registry = createFunctionRegistry({ onChange: () => undefined })
  registry.register([{ name: 'f', ...options }], runner)
  const ended: unknown[] = []
  const unwritten: string[] = []
  const executor = createExecutor(
    {
      registry,
      journal: stub.journal,
      clock: systemClock,
      selfId: 'me',
      observer: {
        received: () => undefined,
        started: () => undefined,
        ended: (invocation, _, error) => void ended.push([invocation.id, error?.reason ?? 'done']),
        unwritten: (id) => void unwritten.push(id),
      },
    },
    init,
  )
  let lastId = 0
  const call = (change: Partial<Invocation> = {}) => {
    const caller = { peerId: 'caller', name: 'caller' }
    const id = `call-${(lastId += 1)}`
    const deadline = createDeadline(change.timeoutMs ?? 60_000)
    const invocation = { id, fn: 'f', args: [], kwargs: {}, caller, timeoutMs: 60_000, deadline, ...change }
    const result = executor.run(invocation, sink)
    result.catch(() => undefined)
    return result
  }
  const outcome = async (id: string, waitMs = 0) =>
    executor.outcome('caller', { id, ageMs: 0, once: true }, waitMs, signal)
  return { executor, runs, call, outcome, kill, ended, unwritten, ...stub }
}

/** Lets everything run that waits for nothing but promises. */
const settle = async (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

test('a call runs and its result comes back', async () => {
  const { call, runs, ended } = setUp()
  const result = call({ args: [1, 'a'] })
  await settle()
  expect(runs[0]?.invocation).toMatchObject({ fn: 'f', args: [1, 'a'] })
  runs[0]?.resolve({ answer: 42 })
  expect(await result).toEqual({ answer: 42 })
  expect(ended).toEqual([['call-1', 'done']])
})

test('a function that is not offered is refused, and nothing is remembered of it', async () => {
  const { call, executor, records } = setUp()
  const caller = { peerId: 'caller', name: '' }
  await expect(call({ fn: 'g' })).rejects.toMatchObject({ reason: 'unknown_function' })
  expect(() => executor.admit('g', caller)).toThrow(hasReason('unknown_function'))
  expect(records.size).toBe(0)
})

test('a private function is for this device alone; others cannot tell that it exists', async () => {
  const { call, executor } = setUp({ access: 'private' })
  const stranger = { peerId: 'caller', name: '' }
  expect(() => executor.admit('f', stranger)).toThrow('does not offer a function "f"')
  await expect(call()).rejects.toMatchObject({ reason: 'unknown_function' })
  expect(executor.admit('f', { peerId: 'me', name: 'me' })).toEqual({ streams: false })
})

test('no more calls run at once than maxConcurrent; others wait their turn', async () => {
  const { call, runs } = setUp({ maxConcurrent: 2 })
  const results = [call(), call(), call()]
  await settle()
  expect(runs).toHaveLength(2)
  runs[1]?.resolve('second')
  await settle()
  expect(runs).toHaveLength(3)
  runs[0]?.resolve('first')
  runs[2]?.resolve('third')
  expect(await Promise.all(results)).toEqual(['first', 'second', 'third'])
})

test('a call for which there is no place to wait is refused and may be sent elsewhere', async () => {
  const { call, executor, runs, outcome } = setUp({ maxConcurrent: 1, maxQueue: 1 })
  const [first, second] = [call(), call()]
  await settle()
  await expect(call()).rejects.toMatchObject({ reason: 'queue_full', retryable: true })
  expect(() => executor.admit('f', { peerId: 'x', name: '' })).toThrow(hasReason('queue_full'))
  expect(await outcome('call-3')).toEqual({ state: 'never' })
  runs[0]?.resolve(1)
  await settle()
  runs[1]?.resolve(2)
  expect(await Promise.all([first, second])).toEqual([1, 2])
})

test('a call that is cancelled while it waits never runs', async () => {
  const { call, runs } = setUp({ maxConcurrent: 1 })
  const first = call()
  const controller = new AbortController()
  const second = call({ deadline: createDeadline(60_000, controller.signal) })
  controller.abort()
  await expect(second).rejects.toMatchObject({ reason: 'cancelled' })
  await settle()
  runs[0]?.resolve(1)
  await first
  await settle()
  expect(runs).toHaveLength(1)
})

test("the function's own limit of time is enforced, whatever the caller asks for", async () => {
  const { call, runs } = setUp({ timeoutMs: 1_000 })
  const result = call({ timeoutMs: 60_000 })
  await settle()
  expect(runs[0]?.invocation.timeoutMs).toBe(1_000)
  await vi.advanceTimersByTimeAsync(1_000)
  await expect(result).rejects.toMatchObject({ reason: 'deadline_exceeded' })
  expect(runs[0]?.invocation.deadline.reason).toMatchObject({ reason: 'deadline_exceeded' })
})

test("the caller's deadline is enforced too", async () => {
  const { call } = setUp()
  const result = call({ timeoutMs: 50 })
  await vi.advanceTimersByTimeAsync(50)
  await expect(result).rejects.toMatchObject({ reason: 'deadline_exceeded' })
})

test('a function that ignores its deadline is killed after the grace time and keeps its place until then', async () => {
  const { call, runs, kill, executor } = setUp({ timeoutMs: 100, maxConcurrent: 1, maxQueue: 0 })
  const result = call()
  await vi.advanceTimersByTimeAsync(100)
  await expect(result).rejects.toMatchObject({ reason: 'deadline_exceeded' })
  await expect(call()).rejects.toMatchObject({ reason: 'queue_full' })
  await vi.advanceTimersByTimeAsync(1_999)
  expect(kill).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(kill).toHaveBeenCalledTimes(1)
  expect(executor.running).toBe(1)
  runs[0]?.reject(new EasyNetError('interrupted', 'killed'))
  await settle()
  expect(executor.running).toBe(0)
  void call()
  await settle()
  expect(runs).toHaveLength(2)
})

test('the same call twice runs once, and both get the first outcome', async () => {
  const { call, runs } = setUp()
  const both = [call({ id: 'same' }), call({ id: 'same' })]
  await settle()
  expect(runs).toHaveLength(1)
  runs[0]?.resolve('once')
  expect(await Promise.all(both)).toEqual(['once', 'once'])
  expect(await call({ id: 'same', args: ['other'] })).toBe('once')
  expect(runs).toHaveLength(1)
})

test('the same id of another caller is another call', async () => {
  const { call, runs } = setUp()
  void call({ id: 'same' })
  void call({ id: 'same', caller: { peerId: 'somebody else', name: '' } })
  await settle()
  expect(runs).toHaveLength(2)
})

test('the second time a failed call fails in the same way', async () => {
  const { call, runs } = setUp()
  const first = call({ id: 'same' })
  await settle()
  runs[0]?.reject(new TypeError('bad input'))
  await expect(first).rejects.toMatchObject({ reason: 'function_error', message: 'bad input' })
  await expect(call({ id: 'same' })).rejects.toMatchObject({ reason: 'function_error' })
  expect(runs).toHaveLength(1)
})

test('an idempotent call that was interrupted runs again when it is sent again', async () => {
  const { call, runs, outcome } = setUp({ idempotent: true })
  const first = call({ id: 'same' })
  await settle()
  runs[0]?.reject(new EasyNetError('interrupted', 'The program is gone.'))
  await expect(first).rejects.toMatchObject({ reason: 'interrupted' })
  expect(await outcome('same')).toEqual({ state: 'interrupted' })
  const again = call({ id: 'same' })
  const meanwhile = call({ id: 'same' })
  await settle()
  expect(runs).toHaveLength(2)
  runs[1]?.resolve('done')
  expect(await Promise.all([again, meanwhile])).toEqual(['done', 'done'])
  expect(await outcome('same')).toEqual({ state: 'done', result: 'done' })
})

test('one that must not run twice does not', async () => {
  const { call, runs } = setUp()
  const first = call({ id: 'same' })
  await settle()
  runs[0]?.reject(new EasyNetError('interrupted', 'The program is gone.'))
  await expect(first).rejects.toMatchObject({ reason: 'interrupted' })
  await expect(call({ id: 'same' })).rejects.toMatchObject({ reason: 'interrupted' })
  expect(runs).toHaveLength(1)
})

test('a call that must not run twice is in the journal before it starts, and after it ended', async () => {
  const { call, runs, records } = setUp()
  const result = call()
  expect(runs).toHaveLength(0)
  await settle()
  expect(records.get('caller call-1')).toEqual({ state: 'started' })
  runs[0]?.resolve('x')
  await result
  expect(records.get('caller call-1')).toMatchObject({ state: 'done', result: expect.any(Uint8Array) })
})

test('a call that cannot be written to the journal does not run', async () => {
  const { call, runs, failWith, executor } = setUp({ maxConcurrent: 1, maxQueue: 0 })
  failWith(new EasyNetError('storage_failed', 'disk full'))
  const refused = { reason: 'storage_failed', notStarted: true, retryable: true }
  await expect(call()).rejects.toMatchObject(refused)
  await expect(call()).rejects.toMatchObject(refused)
  expect([runs.length, executor.running]).toEqual([0, 0])
})

test('a call whose end the disk refuses is answered all the same, and known', async () => {
  const { call, runs, failWith, outcome, unwritten } = setUp()
  const result = call()
  await settle()
  failWith(new EasyNetError('storage_failed', 'disk full'))
  runs[0]?.resolve('x')
  expect(await result).toBe('x')
  expect(unwritten).toEqual(['call-1'])
  expect(await outcome('call-1')).toEqual({ state: 'done', result: 'x' })
})

test('calls of an idempotent function are not journalled', async () => {
  const { call, runs, records } = setUp({ idempotent: true })
  const result = call()
  runs[0]?.resolve(1)
  expect(await result).toBe(1)
  expect(records.size).toBe(0)
})

test('a call of an earlier boot does not run again', async () => {
  const first = setUp()
  const result = first.call({ id: 'done' })
  await settle()
  first.runs[0]?.resolve([1, new Uint8Array(3)])
  await result
  first.records.set('caller cut-off', { state: 'interrupted' })
  first.records.set('caller too-large', { state: 'done' })

  const { call, runs, outcome, executor } = setUp(
    { maxConcurrent: 1, maxQueue: 0 },
    {},
    stubJournal(first.records),
  )
  expect(await call({ id: 'done' })).toEqual([1, new Uint8Array(3)])
  expect(await outcome('done')).toEqual({ state: 'done', result: [1, new Uint8Array(3)] })
  await expect(call({ id: 'cut-off' })).rejects.toMatchObject({ reason: 'interrupted' })
  expect(await outcome('cut-off')).toEqual({ state: 'interrupted' })
  await expect(call({ id: 'too-large' })).rejects.toMatchObject({ reason: 'duplicate_call' })
  expect([runs.length, executor.running]).toEqual([0, 0])
  void call({ id: 'new' })
  await settle()
  expect(runs).toHaveLength(1)
})

test('of a result that is too large only the fact is journalled', async () => {
  const { call, runs, records } = setUp()
  const result = call()
  await settle()
  runs[0]?.resolve(new Uint8Array(128 * 1024 + 1))
  await result
  expect(records.get('caller call-1')).toEqual({ state: 'done' })
})

test('a caller that was told "never" cannot start the call afterwards', async () => {
  const { call, runs, outcome } = setUp()
  expect(await outcome('late')).toEqual({ state: 'never' })
  await expect(call({ id: 'late' })).rejects.toMatchObject({ reason: 'duplicate_call' })
  expect(await outcome('late')).toEqual({ state: 'never' })
  expect(runs).toHaveLength(0)
})

test('who asks for a running call waits for it, up to the time it gave', async () => {
  const { call, runs, outcome } = setUp()
  void call({ id: 'slow' })
  await settle()
  const impatient = outcome('slow', 100)
  const patient = outcome('slow', 60_000)
  await vi.advanceTimersByTimeAsync(100)
  expect(await impatient).toEqual({ state: 'running' })
  runs[0]?.resolve('at last')
  expect(await patient).toEqual({ state: 'done', result: 'at last' })
})

test('the outcome of a failed call is its error; of an interrupted one that it was interrupted', async () => {
  const { call, runs, outcome } = setUp()
  void call({ id: 'bad' })
  void call({ id: 'cut' })
  await settle()
  runs[0]?.reject(new Error('no'))
  runs[1]?.reject(new EasyNetError('interrupted', 'the program died'))
  await settle()
  expect(await outcome('bad')).toMatchObject({ state: 'failed', error: { reason: 'function_error' } })
  expect(await outcome('cut')).toEqual({ state: 'interrupted' })
})

test('a stream that has ended cannot be answered again: its chunks are not kept', async () => {
  const { call, runs, outcome, executor } = setUp({ stream: true })
  expect(executor.admit('f', { peerId: 'x', name: '' })).toEqual({ streams: true })
  const result = call({ id: 'stream' })
  await settle()
  runs[0]?.resolve(null)
  expect(await result).toBeNull()
  expect(await outcome('stream')).toMatchObject({ state: 'failed', error: { reason: 'duplicate_call' } })
})

test('other devices may run no more than the limit of this device; its own programs may', async () => {
  const { call, runs } = setUp({}, { maxRunning: 1 })
  void call()
  await settle()
  await expect(call()).rejects.toMatchObject({ reason: 'too_many_calls', retryable: true })
  void call({ caller: { peerId: 'me', name: 'me' } })
  await settle()
  expect(runs).toHaveLength(2)
})

test('a draining device takes no new calls and waits for those that run or wait for a place', async () => {
  const { call, executor, runs } = setUp({ maxConcurrent: 1 })
  const [first, second] = [call(), call()]
  await settle()
  let drained = false
  const draining = executor.drain(signal).then(() => (drained = true))
  await expect(call()).rejects.toMatchObject({ reason: 'draining', retryable: true })
  runs[0]?.resolve(1)
  await first
  await vi.advanceTimersByTimeAsync(100)
  expect(drained).toBe(false)
  runs[1]?.resolve(2)
  await second
  await vi.advanceTimersByTimeAsync(100)
  await draining
  expect(executor.running).toBe(0)
})

test('draining does not overtake a call that is being written to the journal', async () => {
  const slow = stubJournal()
  const written = Promise.withResolvers<void>()
  const quick = { ...slow.journal }
  slow.journal.start = async (entry) => {
    await written.promise
    return quick.start(entry)
  }
  const { call, executor, runs } = setUp({}, {}, slow)
  const result = call()
  let drained = false
  const draining = executor.drain(signal).then(() => (drained = true))
  await vi.advanceTimersByTimeAsync(100)
  expect(drained).toBe(false)
  written.resolve()
  await settle()
  runs[0]?.resolve(1)
  expect(await result).toBe(1)
  await vi.advanceTimersByTimeAsync(100)
  await draining
})

test('a drain that takes too long resolves with its signal: what runs is cut off after it', async () => {
  const { call, executor } = setUp()
  void call()
  await settle()
  const controller = new AbortController()
  const draining = executor.drain(controller.signal)
  controller.abort()
  await draining
  expect(executor.running).toBe(1)
})

test('when the device stops, running functions are told', async () => {
  const { call, runs, executor } = setUp()
  const result = call()
  await settle()
  executor[Symbol.dispose]()
  await expect(result).rejects.toMatchObject({ reason: 'interrupted' })
  expect(runs).toHaveLength(1)
})
