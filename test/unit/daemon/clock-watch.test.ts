import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { createClockWatch } from '../../../src/daemon/clock-watch.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const HOUR_MS = 3_600_000

function setUp() {
  const time = { wall: 1_800_000_000_000, monotonic: 0 }
  const peers: { connected: boolean; clockAheadMs?: number }[] = []
  const lines: { level: string; msg: string }[] = []
  const steps: number[] = []
  const watch = createClockWatch({
    clock: { now: () => time.wall, monotonic: () => time.monotonic },
    table: {
      list: () => peers.map((peer) => ({ peerId: '', name: '', rttMs: null, lastSeenAt: null, ...peer })),
    },
    logger: createLogger({ stream: { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[0]) } }),
    onSet: (byMs) => steps.push(byMs),
  })
  onTestFinished(() => watch[Symbol.dispose]())
  const pass = (ms: number): void => {
    time.wall += ms
    time.monotonic += ms
    vi.advanceTimersByTime(ms)
  }
  const told = (): string[] => lines.map(({ level, msg }) => `${level}: ${msg}`)
  return { time, peers, steps, pass, told }
}

test('a clock that is set, forth or back, is noticed once with the step', () => {
  const { time, steps, pass, told } = setUp()
  pass(5_000)
  time.wall += HOUR_MS
  pass(5_000)
  time.wall -= 2 * HOUR_MS
  pass(5_000)
  expect(steps).toEqual([HOUR_MS, -2 * HOUR_MS])
  expect(told()).toEqual(Array(2).fill('warn: the clock of this device was set, or the device slept'))
})

test('a clock that is corrected in small steps says nothing', () => {
  const { time, steps, pass } = setUp()
  for (let i = 0; i < 100; i += 1) {
    time.wall += 500
    pass(1_000)
  }
  expect(steps).toEqual([])
})

test('a difference to most peers is told once, and its end; one liar among several is not believed', () => {
  const { peers, pass, told } = setUp()
  peers.push({ connected: true, clockAheadMs: HOUR_MS }, { connected: true, clockAheadMs: 3 })
  peers.push({ connected: true, clockAheadMs: -4 }, { connected: false, clockAheadMs: HOUR_MS })
  pass(60_000)
  expect(told()).toEqual([])
  for (const peer of peers) peer.clockAheadMs = HOUR_MS
  pass(60_000)
  expect(told()).toEqual(['warn: the clocks of the connected peers differ from ours'])
  for (const peer of peers) peer.clockAheadMs = 0
  pass(60_000)
  expect(told().slice(1)).toEqual(['info: the clocks of the connected peers agree with ours'])
})

test('a difference that comes and goes fills no log', () => {
  const { peers, pass, told } = setUp()
  for (let i = 0; i < 100; i += 1) {
    peers.splice(0, 1, { connected: i % 2 === 0, clockAheadMs: HOUR_MS })
    pass(1_000)
  }
  expect(told()).toHaveLength(2)
})
