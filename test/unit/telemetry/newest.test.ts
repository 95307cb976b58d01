import { expect, test } from 'vitest'
import { createNewest } from '../../../src/telemetry/newest.ts'

test('keeps the newest, and finds the newest of those that fit', () => {
  const newest = createNewest<{ id: number; round: number }>(3)
  expect(newest.find(() => true)).toBeUndefined()
  newest.add({ id: 1, round: 1 })
  expect(newest.find(({ id }) => id === 1)).toEqual({ id: 1, round: 1 })
  newest.add({ id: 2, round: 1 })
  newest.add({ id: 1, round: 2 })
  expect(newest.find(({ id }) => id === 1)).toEqual({ id: 1, round: 2 })
  newest.add({ id: 3, round: 1 })
  newest.add({ id: 4, round: 1 })
  expect([1, 2, 3, 4].map((wanted) => newest.find(({ id }) => id === wanted)?.round)).toEqual([
    2,
    undefined,
    1,
    1,
  ])
})
