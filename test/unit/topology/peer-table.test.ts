import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SignedAdvert } from '../../../src/model/advert.ts'
import { advertisedFunctionSchema } from '../../../src/model/function.ts'
import { FUNCTION_BYTES, MAX_ADVERTS_BYTES } from '../../../src/topology/limits.ts'
import { createPeerTable } from '../../../src/topology/peer-table.ts'

const NOW = 1_000_000

function advertOf(peerId: string, change: Partial<SignedAdvert['advert']> = {}): SignedAdvert {
  const advert = {
    peerId,
    name: `name of ${peerId}`,
    software: 'easynet/0.1.0',
    seq: 1,
    issuedAt: NOW,
    expiresAt: NOW + 1_000,
    addresses: [],
    functions: [],
    ...change,
  }
  return { advert, bytes: Buffer.from(JSON.stringify(advert)) }
}

function setUp(stored: readonly SignedAdvert[] = []) {
  /** `wallAheadMs`: how far our wall clock is ahead of that of the authors. */
  const time = { now: NOW, wallAheadMs: 0 }
  const saved = new Map(stored.map((signed) => [signed.advert.peerId, signed.bytes]))
  const open = () =>
    createPeerTable({
      clock: { now: () => time.now + time.wallAheadMs, monotonic: () => time.now },
      store: {
        load: () => [...saved].map(([peerId, bytes]) => ({ peerId, bytes })),
        save: (peerId, { bytes }) => void saved.set(peerId, bytes),
        remove: (peerId) => void saved.delete(peerId),
      },
      verify(bytes) {
        const advert = JSON.parse(Buffer.from(bytes).toString()) as SignedAdvert['advert']
        if (advert.expiresAt <= time.now) throw new Error('expired')
        return { advert, bytes }
      },
    })
  return { table: open(), time, saved, open }
}
const offers = (...names: string[]) => ({
  functions: names.map((name) => advertisedFunctionSchema.parse({ name })),
})

test('only a newer advert replaces the one that is known', () => {
  const { table } = setUp()
  expect(table.setAdvert(advertOf('a', { seq: 2, name: 'new' }))).toBe(true)
  expect(table.setAdvert(advertOf('a', { seq: 2, name: 'same' }))).toBe(false)
  expect(table.setAdvert(advertOf('a', { seq: 1, name: 'old' }))).toBe(false)
  expect(table.get('a')?.name).toBe('new')
})

test('adverts outlive the process; what expired meanwhile is not known any more', () => {
  const { table, time, open } = setUp()
  table.setAdvert(advertOf('short', offers('f')))
  table.setAdvert(advertOf('long', { ...offers('f'), expiresAt: NOW + 9_000 }))
  time.now += 5_000
  expect(
    open()
      .list()
      .map(({ peerId }) => peerId),
  ).toEqual(['long'])
})

test('what has expired or does not verify leaves the disk at the start', () => {
  const { saved, open, table, time } = setUp()
  table.setAdvert(advertOf('gone'))
  table.setAdvert(advertOf('here', { expiresAt: NOW + 9_000 }))
  saved.set('broken', Buffer.from('{'))
  time.now += 2_000
  open()
  expect([...saved.keys()]).toEqual(['here'])
})

test.each([-3_600_000, 3_600_000])(
  'an advert is used for as long as it says, though our clock is %i ms ahead of its author',
  (wallAheadMs) => {
    const { table, time } = setUp()
    time.wallAheadMs = wallAheadMs
    table.setAdvert(advertOf('a', { ...offers('f'), expiresAt: NOW + 3_600_000 }))
    expect(table.providersOf('f')).toHaveLength(1)
    time.now += 3_599_999
    expect(table.providersOf('f')).toHaveLength(1)
    time.now += 1
    expect(table.providersOf('f')).toEqual([])
  },
)

test('an advert outlives a jump of our clock, and not a long sleep of our device', () => {
  const { table, time } = setUp()
  table.setAdvert(advertOf('a', { ...offers('f'), expiresAt: NOW + 3_600_000 }))
  time.wallAheadMs = 3_600_000
  expect(table.providersOf('f')).toHaveLength(1)
  // Asleep the monotonic clock stands still.
  time.wallAheadMs = 4 * 3_600_000
  expect(table.providersOf('f')).toEqual([])
})

test('who is gone without an advert is listed for a day; connected ones stay', () => {
  const { table, time } = setUp()
  for (const peerId of ['gone', 'here', 'offering']) table.setConnected(peerId, true)
  table.setConnected('gone', false)
  table.setConnected('offering', false)
  table.setAdvert(advertOf('offering', { expiresAt: NOW + 25 * 3_600_000 }))
  time.now += 23 * 3_600_000
  table.prune()
  expect(table.list()).toHaveLength(3)
  time.now += 1.5 * 3_600_000
  table.prune()
  expect(table.list().map(({ peerId }) => peerId)).toEqual(['here'])
})

test('when our clock is set, what was noted by it is corrected', () => {
  const { table, time } = setUp()
  table.setConnected('a', true)
  table.introduce('a', { name: 'a', software: 's', clockAheadMs: 5 })
  time.wallAheadMs = -3_600_000
  table.clockSet(-3_600_000)
  expect(table.get('a')).toMatchObject({ lastSeenAt: NOW - 3_600_000, clockAheadMs: 3_600_005 })
})

test('providers are those with a valid advert that names the function', () => {
  const { table, time } = setUp()
  table.setAdvert(advertOf('a', offers('f', 'g')))
  table.setAdvert(advertOf('b', { ...offers('f'), expiresAt: NOW + 5_000 }))
  table.setConnected('c', true)
  const providers = (name: string): string[] => table.providersOf(name).map(({ peer }) => peer.peerId)
  expect([providers('f'), providers('g'), providers('h')]).toEqual([['a', 'b'], ['a'], []])
  time.now += 1_000
  expect(providers('f')).toEqual(['b'])
  expect([...table.knownSeqs().keys()]).toEqual(['b'])
})

test('expired adverts are dropped, here and in the store', () => {
  const { table, time, saved } = setUp()
  table.setAdvert(advertOf('a', offers('f')))
  time.now += 1_001
  table.prune()
  expect(saved.size).toBe(0)
  expect(table.get('a')?.advert).toBeUndefined()
})

test('functions count as the memory that they take, so that short adverts cannot fill it', () => {
  const { table } = setUp()
  const functions = Array.from({ length: 512 }, (_, n) => ({ name: `f${n}` })) as never
  const count = MAX_ADVERTS_BYTES / (512 * FUNCTION_BYTES)
  for (let n = 0; n < 2 * count; n += 1) {
    const { advert } = advertOf(`p${n}`, { functions })
    table.setAdvert({ advert, bytes: new Uint8Array(1) }, 'teller')
  }
  expect(table.list().length).toBeLessThanOrEqual(count)
  expect(table.list().length).toBeGreaterThan(count / 2)
})

test('round-trip times are smoothed; those of strangers are ignored', () => {
  const { table } = setUp()
  table.setConnected('a', true)
  table.addRtt('a', 10)
  table.addRtt('a', 20)
  expect(table.get('a')?.rttMs).toBe(13)
  table.addRtt('stranger', 10)
  expect(table.get('stranger')).toBeUndefined()
})

test('a device that has told nothing yet is called by the end of its id', () => {
  const { table } = setUp()
  expect(table.refOf('12D3KooWabcdefgh')).toEqual({ peerId: '12D3KooWabcdefgh', name: 'abcdefgh' })
  table.introduce('12D3KooWabcdefgh', { name: 'laptop', software: 'easynet/1' })
  expect(table.refOf('12D3KooWabcdefgh').name).toBe('laptop')
})

test('when the table is full, the longest unseen devices go, never a connected or a new one', () => {
  const { table, time, saved } = setUp()
  table.setConnected('friend', true)
  for (let i = 0; i < 2_500; i++) {
    time.now = NOW + i
    table.setAdvert(advertOf(`peer-${i}`, { expiresAt: NOW + 100_000 }))
  }
  expect(table.list().length).toBeLessThanOrEqual(2_000)
  expect(table.get('friend')).toBeDefined()
  expect(table.get('peer-2499')?.advert).toBeDefined()
  expect(table.get('peer-0')).toBeUndefined()
  expect(saved.size).toBeLessThanOrEqual(2_000)
})

test('whatever happens, providers are those that a look at everybody finds', () => {
  const names = ['f', 'g', 'h']
  const peer = fc.nat(2).map((n) => `peer-${n}`)
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('advert' as const),
      peer,
      seq: fc.nat(5),
      offered: fc.array(fc.constantFrom(...names), { maxLength: 4 }),
      validMs: fc.integer({ min: 1, max: 500 }),
    }),
    fc.record({ kind: fc.constant('connected' as const), peer, connected: fc.boolean() }),
    fc.record({ kind: fc.constant('time' as const), ms: fc.nat(800) }),
    fc.record({ kind: fc.constant('prune' as const) }),
    fc.record({ kind: fc.constant('evict' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const { table, time } = setUp()
      for (const todo of steps) {
        if (todo.kind === 'time') time.now += todo.ms
        else if (todo.kind === 'prune') table.prune()
        else if (todo.kind === 'connected') table.setConnected(todo.peer, todo.connected)
        else if (todo.kind === 'evict') {
          // Larger than all adverts together may be: others go, and perhaps this one.
          const times = { issuedAt: time.now, expiresAt: time.now + 1_000 }
          const { advert } = advertOf(`huge-${time.now}`, { ...times, ...offers('g') })
          table.setAdvert({ advert, bytes: { length: 40 * 1024 * 1024 } as Uint8Array })
        } else {
          const times = { issuedAt: time.now, expiresAt: time.now + todo.validMs }
          table.setAdvert(advertOf(todo.peer, { seq: todo.seq, ...times, ...offers(...todo.offered) }))
        }
        for (const name of names) {
          const naive = table.list().filter(({ advert }) => {
            if (advert === undefined || advert.advert.expiresAt <= time.now) return false
            return advert.advert.functions.some((fn) => fn.name === name)
          })
          const found = table.providersOf(name)
          expect(found.map((offer) => offer.peer.peerId).sort()).toEqual(naive.map((p) => p.peerId).sort())
          for (const { peer: provider, fn } of found) {
            expect(provider.advert?.advert.functions).toContain(fn)
          }
        }
      }
    }),
  )
})
