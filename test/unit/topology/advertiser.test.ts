import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Advert, Announcement } from '../../../src/model/advert.ts'
import { advertisedFunctionSchema } from '../../../src/model/function.ts'
import { createAdvertiser } from '../../../src/topology/advertiser.ts'

const NOW = 1_800_000_000_000
beforeEach(() => void vi.useFakeTimers({ now: NOW }))
afterEach(() => void vi.useRealTimers())

function setUp() {
  const signed: Advert[] = []
  const announced: Announcement[] = []
  const provided = vi.fn<(key: string, signal: AbortSignal) => Promise<void>>(async () => undefined)
  const retracted = vi.fn<(key: string) => Promise<void>>(async () => undefined)
  const failures: string[] = []
  const advertiser = createAdvertiser({
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    describe: () => ({
      peerId: 'me',
      name: 'my name',
      software: 'easynet/0.1.0',
      addresses: ['/ip4/1.2.3.4'],
    }),
    sign(advert) {
      signed.push(advert)
      return { advert, bytes: new Uint8Array(0) }
    },
    announce: async (news) => void announced.push(news),
    provide: provided,
    retract: retracted,
    onFailure: (what) => void failures.push(what),
  })
  return { advertiser, signed, announced, provided, retracted, failures }
}
const fns = (...names: string[]) => names.map((name) => advertisedFunctionSchema.parse({ name }))
const MINUTE = 60_000

test('an advert is signed once and used until something changes', () => {
  const { advertiser, signed } = setUp()
  expect(advertiser.current()).toBe(advertiser.current())
  advertiser.setFunctions(fns('f'))
  expect(advertiser.current().advert.functions.map(({ name }) => name)).toEqual(['f'])
  expect(signed).toHaveLength(2)
})

test('each advert has a higher number than the last, even within one millisecond', () => {
  const { advertiser, signed } = setUp()
  for (let i = 0; i < 5; i++) {
    advertiser.setFunctions(fns(`f${i}`))
    advertiser.current()
  }
  expect(signed.map(({ seq }) => seq - NOW)).toEqual([0, 1, 2, 3, 4])
})

test('a clock that was set back does not make the number smaller', () => {
  const { advertiser } = setUp()
  const { seq } = advertiser.current().advert
  vi.setSystemTime(NOW - MINUTE)
  advertiser.setFunctions(fns('f'))
  expect(advertiser.current().advert.seq).toBe(seq + 1)
})

test('an advert is valid for an hour and signed again after ten minutes', () => {
  const { advertiser } = setUp()
  const first = advertiser.current().advert
  expect(first.expiresAt - first.issuedAt).toBe(60 * MINUTE)
  vi.setSystemTime(NOW + 10 * MINUTE)
  expect(advertiser.current().advert.seq).toBeGreaterThan(first.seq)
})

test('changes that come together are announced once', async () => {
  const { advertiser, announced } = setUp()
  advertiser.start()
  for (const names of [['a'], ['a', 'b'], ['a', 'b', 'c']]) advertiser.setFunctions(fns(...names))
  await vi.advanceTimersByTimeAsync(100)
  expect(announced).toHaveLength(1)
  expect(announced[0]).toMatchObject({ peerId: 'me', seq: advertiser.current().advert.seq })
})

test('nothing is announced before the start', async () => {
  const { advertiser, announced } = setUp()
  advertiser.setFunctions(fns('a'))
  await vi.advanceTimersByTimeAsync(100)
  expect(announced).toEqual([])
})

test('the news is repeated every ten minutes', async () => {
  const { advertiser, announced } = setUp()
  advertiser.start()
  await vi.advanceTimersByTimeAsync(21 * MINUTE)
  expect(announced).toHaveLength(3)
  await advertiser[Symbol.asyncDispose]()
})

test('DHT records follow the functions that come and go', async () => {
  const { advertiser, provided, retracted } = setUp()
  advertiser.start()
  advertiser.setFunctions(fns('a', 'b'))
  await vi.advanceTimersByTimeAsync(100)
  advertiser.setFunctions(fns('b', 'c'))
  await vi.advanceTimersByTimeAsync(100)
  expect(provided.mock.calls.map(([key]) => key)).toEqual(['function/a', 'function/b', 'function/c'])
  expect(retracted.mock.calls).toEqual([['function/a']])
})

test('a record that could not be stored is tried again with the next news', async () => {
  const { advertiser, provided, failures } = setUp()
  provided.mockRejectedValueOnce(new Error('nobody there'))
  advertiser.start()
  advertiser.setFunctions(fns('a'))
  await vi.advanceTimersByTimeAsync(100)
  expect(failures).toEqual(['provide failed'])
  advertiser.setFunctions(fns('a'))
  await vi.advanceTimersByTimeAsync(100)
  expect(provided).toHaveBeenCalledTimes(2)
})

test('after the end nothing is announced and records under way are given up', async () => {
  const { advertiser, announced, provided } = setUp()
  advertiser.start()
  advertiser.setFunctions(fns('a'))
  await vi.advanceTimersByTimeAsync(100)
  await advertiser[Symbol.asyncDispose]()
  expect(provided.mock.calls[0]?.[1].aborted).toBe(true)
  advertiser.setFunctions([])
  await vi.advanceTimersByTimeAsync(30 * MINUTE)
  expect(announced).toHaveLength(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('what was said while nobody was there is said again to a new peer, at most every 10 s', async () => {
  const { advertiser, announced, provided } = setUp()
  advertiser.start()
  advertiser.setFunctions(fns('f'))
  await vi.advanceTimersByTimeAsync(100)
  expect([announced.length, provided.mock.calls.length]).toEqual([1, 1])
  for (let i = 0; i < 20; i += 1) {
    advertiser.peerConnected()
    await vi.advanceTimersByTimeAsync(500)
  }
  // Once 0.5 s after the first peer, and once 10 s after that for all who came meanwhile.
  expect([announced.length, provided.mock.calls.length]).toEqual([2, 2])
  await vi.advanceTimersByTimeAsync(10_000)
  expect([announced.length, provided.mock.calls.length]).toEqual([3, 3])
  expect(new Set(announced.map(({ seq }) => seq)).size).toBe(1)
})

test('a device with nothing to offer says nothing to new peers', async () => {
  const { advertiser, announced } = setUp()
  advertiser.start()
  await vi.advanceTimersByTimeAsync(100)
  const before = announced.length
  advertiser.peerConnected()
  await vi.advanceTimersByTimeAsync(30_000)
  expect(announced.length).toBe(before)
})

test('withdrawing is announced at once', async () => {
  const { advertiser, announced } = setUp()
  advertiser.start()
  advertiser.setFunctions(fns('f'))
  await vi.advanceTimersByTimeAsync(100)
  await advertiser.withdraw()
  expect(announced).toHaveLength(2)
  expect(advertiser.current().advert.functions).toEqual([])
})

test('after withdrawing, functions that come and peers that connect bring nothing back', async () => {
  const { advertiser, announced, provided } = setUp()
  advertiser.start()
  advertiser.setFunctions(fns('f'))
  await vi.advanceTimersByTimeAsync(100)
  advertiser.peerConnected()
  await advertiser.withdraw()
  advertiser.setFunctions(fns('g'))
  advertiser.peerConnected()
  await vi.advanceTimersByTimeAsync(30 * MINUTE)
  expect(advertiser.current().advert.functions).toEqual([])
  expect(provided).toHaveBeenCalledTimes(1)
  expect(announced.length).toBeGreaterThanOrEqual(2)
  expect(advertiser.check(fns('h'))).toBeUndefined()
})

test('while records are slow to store, rounds of them do not pile up', async () => {
  const { advertiser, provided } = setUp()
  let running = 0
  provided.mockImplementation(async () => {
    running += 1
    expect(running).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, MINUTE - 1))
    running -= 1
  })
  advertiser.start()
  advertiser.setFunctions(fns('a', 'b'))
  for (let i = 0; i < 60; i += 1) {
    advertiser.peerConnected()
    await vi.advanceTimersByTimeAsync(10_000)
  }
  // From now on nobody comes: the round under way and one more are all that is left.
  const before = provided.mock.calls.length
  await vi.advanceTimersByTimeAsync(60 * MINUTE)
  expect(provided.mock.calls.length - before).toBeLessThanOrEqual(4)
  expect(new Set(provided.mock.calls.map(([key]) => key))).toEqual(new Set(['function/a', 'function/b']))
})

test('others that have a higher number of ours, of a time when our clock was ahead, get a still higher one', async () => {
  const { advertiser, announced } = setUp()
  advertiser.setFunctions(fns('f'))
  advertiser.start()
  await vi.advanceTimersByTimeAsync(100)
  const ahead = NOW + 60 * MINUTE
  advertiser.overtaken(ahead)
  await vi.advanceTimersByTimeAsync(100)
  expect(announced.at(-1)?.seq).toBe(ahead + 1)
  // What everybody has by now is no news.
  advertiser.overtaken(ahead)
  await vi.advanceTimersByTimeAsync(100)
  expect(announced.filter(({ seq }) => seq > ahead)).toHaveLength(1)
  advertiser.setFunctions(fns('f', 'g'))
  expect(advertiser.current().advert.seq).toBe(ahead + 2)
})

test('when the clock was set an advert with the new time is announced', async () => {
  const { advertiser, announced, signed } = setUp()
  advertiser.start()
  await vi.advanceTimersByTimeAsync(100)
  vi.setSystemTime(NOW - 60 * MINUTE)
  advertiser.clockSet()
  await vi.advanceTimersByTimeAsync(100)
  expect(signed.at(-1)).toMatchObject({ issuedAt: NOW - 60 * MINUTE + 30, seq: announced[0]!.seq + 1 })
  expect(announced).toHaveLength(2)
})
