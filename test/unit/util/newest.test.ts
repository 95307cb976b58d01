import { expect, test } from 'vitest'
import { createNewest } from '../../../src/util/newest.ts'

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

test('the latest come in the order in which they were added', () => {
  const newest = createNewest<number>(3)
  expect(newest.latest(5)).toEqual([])
  for (const item of [1, 2, 3, 4]) newest.add(item)
  expect(newest.latest(2)).toEqual([3, 4])
  expect(newest.latest(5)).toEqual([2, 3, 4])
})
