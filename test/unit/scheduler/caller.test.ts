import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import type { Reason } from '../../../src/errors/reasons.ts'
import type { CallOutcome, CallRequest, LoggedCall } from '../../../src/model/call.ts'
import type { Value } from '../../../src/model/value.ts'
import { createCaller } from '../../../src/scheduler/caller.ts'
import type { Candidate } from '../../../src/scheduler/ports.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { onAbort } from '../../../src/util/signals.ts'

type Run = (peerId: string, id: string, timeoutMs: number) => Promise<Value>

interface Setup {
  /** Devices that offer the function, nearest first. */
  peers?: string[]
  idempotent?: boolean
  run?: Run
  ask?: (peerId: string, id: string) => Promise<CallOutcome>
  isDiskFull?: boolean
}

/** Tests of the caller alone: the network is a function, the log a map. */
function setUp({ peers = ['a'], idempotent = false, run, ask, isDiskFull = false }: Setup) {
  const logged = new Map<string, LoggedCall>()
  const runs: string[] = []
  let lastId = 0
  const candidate = (peerId: string, rttMs: number): Candidate => ({
    peer: { peerId, name: peerId },
    path: 'direct',
    rttMs,
    streams: false,
    idempotent,
  })
  const caller = createCaller({
    self: { peerId: 'self', name: 'self' },
    clock: systemClock,
    directory: {
      candidates: () => peers.map(candidate),
      discover: async () => undefined,
      nextProvider: async (_, signal) => new Promise((resolve) => void onAbort(signal, resolve)),
      resolvePeer: (peer) => peer,
    },
    remote: {
      async call(peerId, call) {
        runs.push(peerId)
        return run === undefined ? call.id : run(peerId, call.id, call.timeoutMs)
      },
      ask: async (peerId, { id }) => (ask === undefined ? { state: 'never' } : ask(peerId, id)),
    },
    local: { run: async () => null, outcome: async () => ({ state: 'never' }) },
    log: {
      async put(record) {
        if (isDiskFull) throw failure('storage_failed')
        logged.set(record.id, record)
      },
      note: (record) => void logged.set(record.id, record),
      find: (id) => logged.get(id),
      findByKey: (key) => [...logged.values()].findLast((record) => record.key === key),
    },
    observer: { started: () => ({ add: () => undefined }), ended: () => undefined },
    newId: () => `call-${(lastId += 1)}`,
    digestOf: ({ fn, args }) => JSON.stringify([fn, args]),
  })
  const sink = { chunk: () => undefined, progress: () => undefined, log: () => undefined }
  const call = async (request: Partial<CallRequest> = {}, signal?: AbortSignal) =>
    caller.call({ fn: 'f', args: [], kwargs: {}, timeoutMs: 5_000, ...request }, sink, { signal })
  return { call, caller, runs, logged }
}

const failure = (reason: Reason, notStarted = false) => new EasyNetError(reason, reason, { notStarted })

test('a refusal that says so moves the call to the next device', async () => {
  const { call, runs } = setUp({
    peers: ['a', 'b'],
    run: async (peerId) => {
      if (peerId === 'a') throw failure('queue_full', true)
      return 'done'
    },
  })
  expect(await call()).toMatchObject({ result: 'done', provider: { peerId: 'b' }, attempts: 2 })
  expect(runs).toEqual(['a', 'b'])
})

test.each<Reason>(['peer_unreachable', 'queue_full', 'draining', 'too_many_calls'])(
  'a function that throws %s itself is not run again',
  async (reason) => {
    const { call, runs } = setUp({
      peers: ['a', 'b'],
      run: async () => {
        throw failure(reason)
      },
    })
    await expect(call()).rejects.toMatchObject({ reason, retryable: false })
    expect(runs).toEqual(['a'])
  },
)

test('after a lost connection the provider is asked, and nobody else runs it', async () => {
  const { call, runs } = setUp({
    peers: ['a', 'b'],
    run: async () => {
      throw failure('outcome_unknown')
    },
    ask: async () => ({ state: 'done', result: 42 }),
  })
  expect(await call()).toMatchObject({ result: 42, attempts: 1 })
  expect(runs).toEqual(['a'])
})

test('a provider that never got it leaves the call to the next one', async () => {
  const { call, runs } = setUp({
    peers: ['a', 'b'],
    run: async (peerId) => {
      if (peerId === 'a') throw failure('outcome_unknown')
      return 'b'
    },
  })
  expect(await call()).toMatchObject({ result: 'b' })
  expect(runs).toEqual(['a', 'b'])
})

test('an idempotent function goes on after a cut, but never on a device where it is not idempotent', async () => {
  const cut: Run = async (peerId) => {
    if (peerId === 'a') throw failure('interrupted')
    return peerId
  }
  const idempotent = setUp({ peers: ['a', 'b'], idempotent: true, run: cut })
  expect(await idempotent.call()).toMatchObject({ result: 'b', attempts: 2 })
  const once = setUp({ peers: ['a', 'b'], run: cut })
  await expect(once.call()).rejects.toMatchObject({ reason: 'interrupted' })
  expect(once.runs).toEqual(['a'])
})

test('the only provider of an idempotent function is tried again with pauses', async () => {
  let calls = 0
  const { call } = setUp({
    idempotent: true,
    run: async () => {
      calls += 1
      if (calls < 4) throw failure('peer_unreachable', true)
      return 'back'
    },
  })
  const startedAt = performance.now()
  expect(await call()).toMatchObject({ result: 'back', attempts: 4 })
  expect(performance.now() - startedAt).toBeGreaterThan(100)
})

test('an idempotent function that its only provider withdraws after a cut is waited for', async () => {
  const peers = ['a']
  const { call, runs } = setUp({
    peers,
    idempotent: true,
    run: async () => {
      if (runs.length > 1) return 'back'
      // Its program died: the advert goes at once, and comes back with the program.
      peers.pop()
      setTimeout(() => peers.push('a'), 250)
      throw failure('interrupted')
    },
  })
  expect(await call()).toMatchObject({ result: 'back', attempts: 2 })
})

test('when nobody comes back, the deadline ends an idempotent call and names the last failure', async () => {
  const peers = ['a']
  const { call } = setUp({
    peers,
    idempotent: true,
    run: async () => {
      peers.pop()
      throw failure('interrupted')
    },
  })
  const error = { reason: 'deadline_exceeded', details: { lastFailure: 'interrupted', attempts: 1 } }
  await expect(call({ timeoutMs: 300 })).rejects.toMatchObject(error)
})

test('of several providers of an idempotent function that fail, each is tried again in turn', async () => {
  const { call, runs } = setUp({
    peers: ['a', 'b'],
    idempotent: true,
    run: async () => {
      if (runs.length < 5) throw failure('peer_unreachable', true)
      return 'back'
    },
  })
  expect(await call()).toMatchObject({ result: 'back' })
  expect(runs).toEqual(['a', 'b', 'a', 'b', 'a'])
})

test('a refused call is in the log as one that may be sent again, a failed one as one that may not', async () => {
  const refused = setUp({ run: async () => Promise.reject(failure('draining', true)) })
  await expect(refused.call()).rejects.toMatchObject({ retryable: true })
  expect([...refused.logged.values()]).toMatchObject([{ state: 'failed', error: { retryable: true } }])
  const failed = setUp({ run: async () => Promise.reject(failure('function_error')) })
  await expect(failed.call()).rejects.toMatchObject({
    reason: 'function_error',
    details: { callId: 'call-1' },
  })
})

test('the call is in the log before its id is told', async () => {
  const { caller, logged } = setUp({})
  let wasLogged = false
  const sink = { chunk: () => undefined, progress: () => undefined, log: () => undefined }
  const onAccepted = (id: string): void => void (wasLogged = logged.has(id))
  await caller.call({ fn: 'f', args: [], kwargs: {} }, sink, { onAccepted })
  expect(wasLogged).toBe(true)
})

test('a call that cannot be noted is not sent, and no device is blamed for it', async () => {
  const { call, runs } = setUp({ peers: ['a', 'b'], isDiskFull: true })
  const refused = { reason: 'storage_failed', retryable: true, details: { attempts: 0 } }
  await expect(call({ key: 'k' })).rejects.toMatchObject(refused)
  expect(runs).toEqual([])
})

test('a call has the id that its program gave, and no two that run have the same', async () => {
  const held = Promise.withResolvers<Value>()
  const { call, logged } = setUp({ run: async () => held.promise })
  const first = call({ id: 'mine' })
  await expect(call({ id: 'mine' })).rejects.toMatchObject({ reason: 'invalid_request' })
  held.resolve(1)
  expect(await first).toMatchObject({ id: 'mine', result: 1 })
  expect([...logged.keys()]).toEqual(['mine'])
})

test('a cancel ends the call and says so', async () => {
  const { call, caller } = setUp({ run: () => new Promise(() => undefined) })
  const running = call({ timeoutMs: 60_000 }, AbortSignal.timeout(50))
  expect(caller.running()).toEqual(['call-1'])
  expect(caller.cancel('nobody')).toBe(false)
  // The stand-in never answers; the real client gives up with the signal.
  running.catch(() => undefined)
  expect(caller.cancel('call-1')).toBe(true)
})

test('two calls with one key at the same time are one run with one outcome', async () => {
  const first = Promise.withResolvers<Value>()
  const { call, runs } = setUp({ run: async () => first.promise })
  const both = Promise.all([call({ key: 'k' }), call({ key: 'k' })])
  first.resolve('once')
  expect((await both).map(({ id, result }) => [id, result])).toEqual([
    ['call-1', 'once'],
    ['call-1', 'once'],
  ])
  expect(runs).toHaveLength(1)
})

test('the same key later asks for the first outcome and never runs again, even when it is forgotten', async () => {
  let state: CallOutcome = { state: 'done', result: 'first' }
  const { call, runs, logged } = setUp({ run: async () => 'first', ask: async () => state })
  await call({ key: 'k' })
  expect(await call({ key: 'k' })).toMatchObject({ id: 'call-1', result: 'first' })
  for (const lost of ['never', 'forgotten'] as const) {
    state = { state: lost }
    await expect(call({ key: 'k' })).rejects.toMatchObject({ reason: 'duplicate_call' })
  }
  expect(logged.get('call-1')).toMatchObject({ state: 'done' })
  expect(runs).toHaveLength(1)
})

test('a key whose call was refused is free, and a later success is final', async () => {
  let refuse = true
  const { call, runs } = setUp({
    run: async () => {
      if (refuse) throw failure('queue_full', true)
      return 'ran'
    },
    ask: async () => ({ state: 'done', result: 'ran' }),
  })
  await expect(call({ key: 'k' })).rejects.toMatchObject({ reason: 'queue_full' })
  refuse = false
  expect(await call({ key: 'k' })).toMatchObject({ result: 'ran' })
  expect(await call({ key: 'k' })).toMatchObject({ result: 'ran' })
  expect(runs).toHaveLength(2)
})

test('the error of the first call is the error of its key', async () => {
  const { call, runs } = setUp({ run: async () => Promise.reject(failure('function_error')) })
  await expect(call({ key: 'k' })).rejects.toMatchObject({ reason: 'function_error' })
  await expect(call({ key: 'k' })).rejects.toMatchObject({ reason: 'function_error' })
  expect(runs).toHaveLength(1)
})

test('a key belongs to one function and its arguments', async () => {
  const { call } = setUp({})
  await call({ key: 'k', args: [1] })
  await expect(call({ key: 'k', args: [2] })).rejects.toMatchObject({ reason: 'invalid_request' })
  await expect(call({ key: 'k', fn: 'g', args: [1] })).rejects.toMatchObject({ reason: 'invalid_request' })
})

test('a deadline that a provider kept is told with the time that the caller gave', async () => {
  const late = (timeoutMs: number) =>
    setUp({
      run: async (_peerId, _id, given) => {
        throw new EasyNetError('deadline_exceeded', `No answer came within ${timeoutMs || given} ms.`, {
          details: { timeoutMs: timeoutMs || Math.floor(given) },
        })
      },
    }).call({ timeoutMs: 5_000 })
  await expect(late(0)).rejects.toMatchObject({
    message: 'No answer came within 5000 ms.',
    details: { timeoutMs: 5_000, attempts: 1 },
  })
  // The function's own limit.
  await expect(late(500)).rejects.toMatchObject({ message: 'No answer came within 500 ms.' })
})
