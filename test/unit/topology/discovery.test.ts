import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { createDiscovery, type DiscoveryComponents } from '../../../src/topology/discovery.ts'
import {
  LEARNED_FUNCTION_BURST,
  MAX_PULLS,
  MAX_PULLS_PER_PEER,
  MAX_TOLD_DIALS,
} from '../../../src/topology/limits.ts'
import type { DiscoveryNetwork, Introductions } from '../../../src/topology/ports.ts'
import { createPeerTable } from '../../../src/topology/peer-table.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }))
afterEach(() => void vi.useRealTimers())

/** How many run at the same time, at most and now. */
function createGauge() {
  const gauge = { now: 0, max: 0, total: 0 }
  return {
    gauge,
    run: async (lastsMs: number): Promise<void> => {
      gauge.total += 1
      gauge.now += 1
      gauge.max = Math.max(gauge.max, gauge.now)
      await new Promise((resolve) => setTimeout(resolve, lastsMs))
      gauge.now -= 1
    },
  }
}

const inbound = (peerId: string, host: string) => ({ peerId, direction: 'inbound' as const, host })

interface Setup {
  network?: Partial<DiscoveryNetwork>
  bootstrap?: string[]
  pull?: (...args: Parameters<Introductions['pull']>) => Promise<void>
  components?: Partial<DiscoveryComponents>
}

function setUp({ network = {}, pull = async () => undefined, bootstrap = [], components = {} }: Setup = {}) {
  const clock = { now: () => Date.now(), monotonic: () => Date.now() }
  const failures: string[] = []
  const table = createPeerTable({
    clock,
    store: { load: () => [], save: () => undefined, remove: () => undefined },
    verify: () => {
      throw new Error('nothing is stored')
    },
  })
  const discovery = createDiscovery(
    {
      clock,
      network: {
        peerId: 'self',
        isConnected: () => true,
        isFull: () => false,
        protect: () => undefined,
        connect: async () => undefined,
        connectTo: async () => 'boot',
        connectedPeers: () => [],
        rememberedPeers: async () => [],
        ping: async () => 1,
        async *findProviders() {},
        ...network,
      },
      introductions: {
        hello: async () => ({ name: 'n', software: 's/1' }),
        async *pull(...args) {
          await pull(...args)
          yield* []
        },
        announce: async () => undefined,
      },
      table,
      onFailure: (what) => void failures.push(what),
      onAdvert: () => undefined,
      isBlocked: () => false,
      ownSeq: () => 0,
      onOvertaken: () => undefined,
      ...components,
    },
    { bootstrap },
  )
  onTestFinished(async () => {
    const stopped = discovery[Symbol.asyncDispose]()
    vi.useRealTimers()
    await stopped
  })
  return { discovery, failures, table }
}

test('news from one peer causes a few pulls from it at a time, from many a few more', async () => {
  const { gauge, run } = createGauge()
  const { discovery } = setUp({
    network: { isConnected: (peerId) => peerId.startsWith('from') },
    async pull() {
      await run(300)
    },
  })
  for (let i = 0; i < 100; i++) discovery.announced({ peerId: `p${i}`, seq: 1 }, 'from')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(gauge.max).toBe(MAX_PULLS_PER_PEER)
  for (let i = 0; i < 100; i++) discovery.announced({ peerId: `q${i}`, seq: 1 }, `from-${i}`)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(gauge.max).toBe(MAX_PULLS)
})

test('peers that others told of are dialled a few at a time', async () => {
  const { gauge, run } = createGauge()
  const { discovery } = setUp({
    network: { isConnected: () => false, connect: async () => run(500) },
  })
  for (let i = 0; i < 60; i++) discovery.discovered({ peerId: `p${i}`, addresses: [] })
  await vi.advanceTimersByTimeAsync(10_000)
  expect(gauge.max).toBe(MAX_TOLD_DIALS)
  expect(gauge.total).toBe(60)
})

test('a pull that fails is tried again, after news and after connecting', async () => {
  let pulls = 0
  const { discovery, failures } = setUp({
    async pull() {
      pulls += 1
      throw new Error('reset')
    },
  })
  discovery.announced({ peerId: 'p', seq: 1 }, 'from')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(pulls).toBe(4)
  discovery.connected('p')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(pulls).toBe(8)
  expect(failures).toEqual(Array.from({ length: 8 }, () => 'pull failed'))
})

test('what one host can make us learn is bounded, whatever devices it invents', async () => {
  const functions = Array.from({ length: 512 }, (_, n) => ({ name: `f${n}` }))
  let told = 0
  const { discovery } = setUp({
    network: {
      connectedPeers: () => [
        inbound('one', 'attacker'),
        inbound('two', 'attacker'),
        inbound('three', 'other'),
      ],
    },
    components: {
      introductions: {
        hello: async () => ({ name: 'n', software: 's/1' }),
        announce: async () => undefined,
        async *pull() {
          while (true) {
            told += 1
            const advert = { peerId: `invented-${told}`, name: 'n', seq: 1, functions, expiresAt: Infinity }
            yield { advert, bytes: new Uint8Array(1) } as never
          }
        },
      },
    },
  })
  for (const peer of ['one', 'two']) {
    discovery.connected(peer)
    await vi.advanceTimersByTimeAsync(100)
  }
  const most = LEARNED_FUNCTION_BURST / 512 + 3
  expect(told).toBeGreaterThan(10)
  expect(told).toBeLessThan(most)
  discovery.connected('three')
  await vi.advanceTimersByTimeAsync(100)
  expect(told).toBeGreaterThan(most)
})

test('a peer that lied is not asked the same again', async () => {
  let pulls = 0
  const { discovery } = setUp({
    async pull() {
      pulls += 1
      throw new EasyNetError('protocol_violation', 'forged')
    },
  })
  discovery.announced({ peerId: 'p', seq: 1 }, 'from')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(pulls).toBe(1)
})

test('one failure does not end what is done again and again', async () => {
  let asked = 0
  const { discovery, failures } = setUp({
    network: {
      connectedPeers() {
        asked += 1
        if (asked <= 2) throw new Error('not now')
        return []
      },
    },
  })
  discovery.start()
  await vi.advanceTimersByTimeAsync(61_000)
  expect(failures).toEqual(['pings failed', 'pulls failed'])
  // Four rounds of pings, two of pulls.
  expect(asked).toBe(6)
})

test('who is asked what we missed is drawn by the given dice', async () => {
  const asked: string[] = []
  const draws = [0, 0.99, 0.5]
  const { discovery } = setUp({
    network: {
      connectedPeers: () => ['a', 'b', 'c'].map((peerId) => inbound(peerId, peerId)),
    },
    async pull(peerId) {
      asked.push(peerId)
    },
    components: { random: () => draws.shift() ?? 0 },
  })
  discovery.start()
  await vi.advanceTimersByTimeAsync(91_000)
  expect(asked).toEqual(['a', 'c', 'b'])
})

test('a peer that came to us is dialled again only when it had stayed, by the given clock', async () => {
  let monotonic = 0
  const dialled: string[] = []
  const { discovery } = setUp({
    network: { isConnected: () => false, connect: async (peerId) => void dialled.push(peerId) },
    components: { clock: { now: () => 0, monotonic: () => monotonic } },
  })
  for (const [peerId, staysMs] of [
    ['short', 1_000],
    ['long', 6_000],
  ] as const) {
    discovery.connected(peerId)
    monotonic += staysMs
    discovery.disconnected(peerId)
    monotonic += 1_000
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(dialled).toEqual(['long'])
})

test.each([5, 30, 90, 600])(
  'a peer that is away for %i s is dialled again soon after, and not all the time before',
  async (awayS) => {
    let isBack = false
    const dialledAt: number[] = []
    const { discovery } = setUp({
      network: {
        isConnected: () => false,
        async connect() {
          dialledAt.push(Date.now())
          if (!isBack) throw new EasyNetError('peer_unreachable', 'not yet')
        },
      },
    })
    discovery.connected('lost')
    await vi.advanceTimersByTimeAsync(10_000)
    discovery.disconnected('lost')
    await vi.advanceTimersByTimeAsync(awayS * 1_000)
    const attempts = dialledAt.length
    isBack = true
    const backAt = Date.now()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dialledAt).toHaveLength(attempts + 1)
    expect(dialledAt.at(-1)! - backAt).toBeLessThanOrEqual(250 + Math.max(1_000, (awayS * 1_000) / 29))
    expect(attempts).toBeLessThan(130)
  },
)

test('a peer that stays away is given up after an hour', async () => {
  let dials = 0
  const { discovery } = setUp({
    network: {
      isConnected: () => false,
      async connect() {
        dials += 1
        throw new EasyNetError('peer_unreachable', 'gone')
      },
    },
  })
  discovery.connected('lost')
  await vi.advanceTimersByTimeAsync(10_000)
  discovery.disconnected('lost')
  await vi.advanceTimersByTimeAsync(3_700_000)
  const before = dials
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect([before > 100, dials]).toEqual([true, before])
})

test('with as many connections as may be, nobody is dialled to be closed again', async () => {
  const dialled: string[] = []
  const { discovery } = setUp({
    network: {
      isConnected: () => false,
      isFull: () => true,
      connect: async (peerId) => void dialled.push(peerId),
    },
  })
  discovery.connected('pruned')
  await vi.advanceTimersByTimeAsync(10_000)
  discovery.disconnected('pruned')
  discovery.discovered({ peerId: 'told', addresses: [] })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(dialled).toEqual([])
})

test('bootstrap peers are protected', async () => {
  const kept: string[] = []
  const { discovery } = setUp({
    bootstrap: ['/address'],
    network: { protect: (peerId) => void kept.push(peerId) },
  })
  discovery.start()
  await vi.advanceTimersByTimeAsync(100)
  expect(kept).toEqual(['boot'])
})
