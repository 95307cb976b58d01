import { expect, test } from 'vitest'
import { MAX_PEERS_ASKED, MAX_PROVIDERS_DIALLED, NOT_FOUND_MS } from '../../../src/topology/limits.ts'
import { createLookup, functionKey } from '../../../src/topology/lookup.ts'
import type { PullRequest } from '../../../src/topology/ports.ts'

interface Setup {
  peers?: string[]
  providers?: string[]
  /** Peers whose pull makes the function known. */
  knowing?: string[]
  isConnecting?: boolean
  /** What happens while a peer is asked. */
  whileAsked?: (request: PullRequest) => Promise<void>
}

function setUp({ peers = [], providers = [], knowing = [], isConnecting = false, whileAsked }: Setup) {
  const pulled: string[] = []
  const dialled: string[] = []
  const keys: string[] = []
  const requests: PullRequest[] = []
  const time = { now: 0 }
  let known = false
  const lookUp = createLookup({
    network: {
      peerId: 'self',
      connectedPeers: () => peers.map((peerId) => ({ peerId, direction: 'inbound' as const, host: peerId })),
      async *findProviders(key) {
        keys.push(key)
        for (const peerId of providers) yield { peerId, addresses: [`/address/of/${peerId}`] }
      },
    },
    table: { providersOf: () => (known ? ([{}] as never) : []) },
    connect: async ({ peerId }) => void dialled.push(peerId),
    clock: { now: () => 0, monotonic: () => time.now },
    pull: async (from, request) => {
      pulled.push(from)
      requests.push(request)
      await whileAsked?.(request)
      if (from === 'broken') throw new Error('no answer')
      if (knowing.includes(from)) known = true
    },
    isConnecting: () => isConnecting,
    onFailure: () => undefined,
  })
  return { lookUp, pulled, dialled, keys, requests, time }
}

test('a connected peer that knows a provider ends the search', async () => {
  const { lookUp, pulled } = setUp({ peers: ['a', 'broken', 'b'], knowing: ['b'] })
  await lookUp('f', AbortSignal.timeout(5_000))
  expect(pulled).toEqual(['a', 'broken', 'b'])
})

test('a provider that only the DHT knows is dialled and asked for its own advert', async () => {
  const { lookUp, dialled, keys } = setUp({ peers: ['a'], providers: ['self', 'far'], knowing: ['far'] })
  await lookUp('f', AbortSignal.timeout(5_000))
  expect(dialled).toEqual(['far'])
  expect(keys).toEqual([functionKey('f')])
})

test('with nobody to ask it ends at once', async () => {
  const { lookUp, keys } = setUp({})
  await lookUp('f', new AbortController().signal)
  expect(keys).toEqual([])
})

test('it asks again until the signal ends it', async () => {
  const { lookUp, pulled } = setUp({ peers: ['a'] })
  const stop = new AbortController()
  const search = lookUp('f', stop.signal)
  while (pulled.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
  stop.abort()
  await search
})

test('no more peers are asked in a round than the limit', async () => {
  const peers = Array.from({ length: 30 }, (_, index) => `peer-${index}`)
  const { lookUp, pulled } = setUp({ peers, knowing: ['peer-0'] })
  await lookUp('f', AbortSignal.timeout(5_000))
  expect(pulled).toHaveLength(8)
})

test('peers are asked about the function alone, providers of the DHT about themselves', async () => {
  const { lookUp, requests } = setUp({ peers: ['a'], providers: ['far'], knowing: ['far'] })
  await lookUp('f', AbortSignal.timeout(5_000))
  expect(requests.map(({ signal: _, ...request }) => request)).toEqual([
    { offering: 'f' },
    { peerIds: ['far'] },
  ])
})

test('many who look for one name at the same time share one search', async () => {
  const peers = Array.from({ length: 20 }, (_, index) => `peer-${index}`)
  let running = 0
  let atOnce = 0
  const { lookUp, keys, pulled } = setUp({
    peers,
    async whileAsked() {
      running += 1
      atOnce = Math.max(atOnce, running)
      await new Promise((resolve) => setTimeout(resolve, 20))
      running -= 1
    },
  })
  const stop = new AbortController()
  const searches = Array.from({ length: 100 }, async () => lookUp('f', stop.signal))
  while (keys.length < 4) await new Promise((resolve) => setTimeout(resolve, 10))
  stop.abort()
  await Promise.all(searches)
  expect(atOnce).toBe(MAX_PEERS_ASKED)
  expect(pulled.length).toBeLessThanOrEqual(keys.length * MAX_PEERS_ASKED)
  // The next round asks those that were not asked in this one.
  expect(new Set(pulled).size).toBe(20)
})

test('one who gives up does not end the search of the others', async () => {
  const { lookUp, pulled } = setUp({ peers: ['a'] })
  const [impatient, patient] = [new AbortController(), new AbortController()]
  const first = lookUp('f', impatient.signal)
  const second = lookUp('f', patient.signal)
  impatient.abort()
  await first
  while (pulled.length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
  patient.abort()
  await second
})

test('what was not found is not looked for again for a moment', async () => {
  const { lookUp, pulled, time } = setUp({ peers: ['a'] })
  await lookUp('f', AbortSignal.timeout(50))
  expect(pulled).toHaveLength(1)
  await lookUp('f', AbortSignal.timeout(50))
  expect(pulled).toHaveLength(1)
  await lookUp('another', AbortSignal.timeout(50))
  expect(pulled).toHaveLength(2)
  time.now += NOT_FOUND_MS
  await lookUp('f', AbortSignal.timeout(50))
  expect(pulled).toHaveLength(3)
})

test('a search that was given up before it asked everybody proves nothing', async () => {
  const { lookUp, pulled } = setUp({ peers: ['a'], whileAsked: async () => new Promise(() => undefined) })
  await lookUp('f', AbortSignal.timeout(20))
  await lookUp('f', AbortSignal.timeout(20))
  expect(pulled).toHaveLength(2)
})

test('questions under way end with the search', async () => {
  const signals: (AbortSignal | undefined)[] = []
  const { lookUp } = setUp({
    peers: ['slow', 'b'],
    knowing: ['b'],
    whileAsked: async ({ signal }) => {
      signals.push(signal)
      if (signals.length === 1) await new Promise(() => undefined)
    },
  })
  await lookUp('f', AbortSignal.timeout(5_000))
  expect(signals.map((signal) => signal?.aborted)).toEqual([true, true])
})

test('providers that cannot be reached do not hide the one that can', async () => {
  const invented = Array.from({ length: 5 * MAX_PROVIDERS_DIALLED }, () => 'broken')
  const { lookUp, dialled } = setUp({ peers: ['a'], providers: [...invented, 'far'], knowing: ['far'] })
  await lookUp('f', AbortSignal.timeout(5_000))
  expect(dialled).toContain('far')
})
