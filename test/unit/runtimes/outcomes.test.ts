import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { createOutcomes, type OutcomesInit } from '../../../src/runtimes/outcomes.ts'

function setUp(init: Omit<OutcomesInit, 'clock'> = {}) {
  const time = { ms: 0 }
  const clock = { now: () => time.ms, monotonic: () => time.ms }
  return { time, outcomes: createOutcomes({ clock, ...init }) }
}
const done = (result: string | Uint8Array) => ({ state: 'done', result }) as const

test('a running call is found by its promise, an ended one by its outcome', async () => {
  const { outcomes } = setUp()
  const ending = Promise.resolve(done('x'))
  outcomes.begin('peer', 'a', ending)
  expect(outcomes.find('peer', 'a')).toBe(ending)
  outcomes.end('peer', 'a', done('x'))
  expect(outcomes.find('peer', 'a')).toEqual(done('x'))
  expect(outcomes.find('peer', 'b')).toBeUndefined()
})

test('a refused call is not remembered', () => {
  const { outcomes } = setUp()
  outcomes.begin('peer', 'a', Promise.resolve(done('x')))
  outcomes.forget('peer', 'a')
  expect(outcomes.find('peer', 'a')).toBeUndefined()
})

test('outcomes are forgotten after their time, oldest first', () => {
  const { outcomes, time } = setUp({ keepMs: 100 })
  outcomes.end('peer', 'a', done('x'))
  time.ms = 60
  outcomes.end('peer', 'b', done('x'))
  time.ms = 101
  outcomes.end('peer', 'c', done('x'))
  expect(['a', 'b', 'c'].filter((key) => outcomes.find('peer', key) !== undefined)).toEqual(['b', 'c'])
})

test('there are never more than the limit', () => {
  const { outcomes } = setUp({ maxEntries: 2 })
  for (const key of ['a', 'b', 'c'])
    outcomes.end('peer', key, { state: 'failed', error: new EasyNetError('internal', '') })
  expect(['a', 'b', 'c'].filter((key) => outcomes.find('peer', key) !== undefined)).toEqual(['b', 'c'])
})

test('results together take no more bytes than the limit', () => {
  const { outcomes } = setUp({ maxBytes: 100 })
  outcomes.end('peer', 'a', done(new Uint8Array(60)))
  outcomes.end('peer', 'b', done(new Uint8Array(60)))
  expect(outcomes.find('peer', 'a')).toBeUndefined()
  expect(outcomes.find('peer', 'b')).toBeDefined()
  outcomes.end('peer', 'c', done(new Uint8Array(40)))
  expect(outcomes.find('peer', 'b')).toBeDefined()
})

test('a kept error keeps nothing alive of what was at work when it was made', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { outcomes } = setUp()
  class Work {
    buffer = new Uint8Array(1_000)
    fail(): void {
      outcomes.end('peer', 'a', {
        state: 'failed',
        error: new EasyNetError('function_error', 'no', { details: { n: 1 } }),
      })
    }
  }
  const work = new WeakRef(new Work())
  work.deref()?.fail()
  // A WeakRef that was read holds its target until the turn is over.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  expect(work.deref()).toBeUndefined()
  expect(outcomes.find('peer', 'a')).toMatchObject({
    state: 'failed',
    error: { reason: 'function_error', details: { n: 1 } },
  })
})
