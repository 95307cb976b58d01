import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { MAX_LOST_PEERS, MAX_RECONNECTING } from '../../../src/topology/limits.ts'
import { createRedial } from '../../../src/topology/redial.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }))
afterEach(() => void vi.useRealTimers())

function setUp(dialMs = 0) {
  const dialled: string[] = []
  const unwanted = new Set<string>()
  const gauge = { now: 0, max: 0 }
  const redial = createRedial({
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    isWanted: (peerId) => !unwanted.has(peerId),
    async dial(peerId) {
      dialled.push(peerId)
      gauge.now += 1
      gauge.max = Math.max(gauge.max, gauge.now)
      if (dialMs > 0) await new Promise((resolve) => setTimeout(resolve, dialMs))
      gauge.now -= 1
      return false
    },
  })
  onTestFinished(() => redial[Symbol.dispose]())
  return { redial, dialled, unwanted, gauge }
}

test('however many peers are lost, there is one timer, and none when the last is back', async () => {
  const { redial, unwanted } = setUp()
  for (let n = 0; n < 1_000; n += 1) redial.lost(`peer ${n}`)
  expect(vi.getTimerCount()).toBe(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(vi.getTimerCount()).toBe(1)
  for (let n = 0; n < 1_000; n += 1) unwanted.add(`peer ${n}`)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(vi.getTimerCount()).toBe(0)
})

test('a peer that is lost now is dialled, though hundreds have been away for long', async () => {
  const { redial, dialled } = setUp()
  for (let n = 0; n < 2 * MAX_LOST_PEERS; n += 1) redial.lost(`old ${n}`)
  await vi.advanceTimersByTimeAsync(600_000)
  dialled.length = 0
  redial.lost('new')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(dialled).toContain('new')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(new Set(dialled).size).toBeLessThanOrEqual(MAX_LOST_PEERS)
})

test('a few are dialled at the same time, each once, and all have their turn', async () => {
  const { redial, dialled, gauge } = setUp(10_000)
  for (let n = 0; n < 200; n += 1) redial.lost(`peer ${n}`)
  await vi.advanceTimersByTimeAsync(5_000)
  expect([dialled.length, gauge.max]).toEqual([MAX_RECONNECTING, MAX_RECONNECTING])
  await vi.advanceTimersByTimeAsync(300_000)
  expect(new Set(dialled).size).toBe(200)
  expect(gauge.max).toBe(MAX_RECONNECTING)
})
