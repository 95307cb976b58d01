import { expect, test } from 'vitest'
import { createRateLimit } from '../../../src/util/rate-limit.ts'

function setUp(maxSources?: number) {
  const time = { ms: 0 }
  const clock = { now: () => time.ms, monotonic: () => time.ms }
  const limit = createRateLimit({
    perSecond: 2,
    burst: 3,
    clock,
    ...(maxSources === undefined ? {} : { maxSources }),
  })
  const taken = (source: string, times: number): number =>
    Array.from({ length: times }, () => limit.take(source)).filter(Boolean).length
  return { time, taken }
}

test('a source may take its burst at once, then no more', () => {
  const { taken } = setUp()
  expect(taken('a', 10)).toBe(3)
})

test('tokens come back with time, up to the burst', () => {
  const { taken, time } = setUp()
  taken('a', 3)
  time.ms = 1_000
  expect(taken('a', 10)).toBe(2)
  time.ms = 3_600_000
  expect(taken('a', 10)).toBe(3)
})

test('one source does not take the tokens of another', () => {
  const { taken } = setUp()
  taken('a', 10)
  expect(taken('b', 10)).toBe(3)
})

test('asking in vain does not make the wait longer', () => {
  const { taken, time } = setUp()
  taken('a', 3)
  for (time.ms = 10; time.ms < 500; time.ms += 10) expect(taken('a', 1)).toBe(0)
  expect(taken('a', 1)).toBe(1)
})

test('no more sources are remembered than the limit', () => {
  const { taken } = setUp(2)
  for (const source of ['a', 'b', 'c']) taken(source, 3)
  expect([taken('c', 1), taken('b', 1), taken('a', 1)]).toEqual([0, 0, 1])
})
