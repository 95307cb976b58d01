import { expect, test } from 'vitest'
import { growthOf, type Sample } from '../../../scripts/soak/growth.ts'
import { lineThrough } from '../../../scripts/soak/slope.ts'

const FLAT: Sample = {
  heapBytes: 50e6,
  externalBytes: 0,
  rssBytes: 0,
  timers: 10,
  listeners: 100,
  signals: 5,
  handles: 3,
  descriptors: 40,
  databaseBytes: 0,
  calls: 0,
  executions: 0,
}

/** Looks every 5 s for 7 minutes. */
function grown(of: (minutes: number, look: number) => Partial<Sample>): string[] {
  const looks = Array.from({ length: 84 }, (_, look) => look)
  const samples = looks.map((look) => ({
    minutes: 3 + look / 12,
    sample: { ...FLAT, ...of(look / 12, look) },
  }))
  return growthOf(samples)
    .filter(({ grows }) => grows)
    .map(({ quantity }) => quantity)
}

test('the line through points is that of least squares', () => {
  expect(
    lineThrough([
      [0, 1],
      [1, 3],
      [2, 5],
    ]),
  ).toEqual({ slope: 2, error: 0 })
  expect(
    lineThrough([
      [0, 0],
      [1, 1],
      [2, 0],
      [3, 1],
    ]).slope,
  ).toBeCloseTo(0.2)
  expect(() =>
    lineThrough([
      [0, 0],
      [1, 1],
    ]),
  ).toThrow('three')
})

test('a heap that grows by half a megabyte a minute fails, by less it does not', () => {
  expect(grown((minutes) => ({ heapBytes: 50e6 + minutes * 0.55e6 }))).toEqual(['heapBytes'])
  expect(grown((minutes, look) => ({ heapBytes: 50e6 + minutes * 0.4e6 + (look % 7) * 1e5 }))).toEqual([])
})

test('a listener, timer or descriptor that is left behind each few seconds is seen through the noise of the load', () => {
  const noise = (look: number): number => (look * 7_919) % 23
  expect(grown((_minutes, look) => ({ listeners: 100 + noise(look), timers: 10 + noise(look) }))).toEqual([])
  expect(grown((minutes, look) => ({ listeners: 100 + noise(look) + minutes * 6 }))).toEqual(['listeners'])
  expect(grown((minutes, look) => ({ timers: noise(look) + minutes * 6 }))).toEqual(['timers'])
  expect(grown((minutes, look) => ({ descriptors: 40 + (look % 3) + Math.floor(minutes * 4) }))).toEqual([
    'descriptors',
  ])
})
