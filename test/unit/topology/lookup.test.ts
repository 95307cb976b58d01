import { expect, test } from 'vitest'
import { createLookup, functionKey } from '../../../src/topology/lookup.ts'

interface Setup {
  peers?: string[]
  providers?: string[]
  /** Peers whose pull makes the function known. */
  knowing?: string[]
  isConnecting?: boolean
}

function setUp({ peers = [], providers = [], knowing = [], isConnecting = false }: Setup) {
  const pulled: string[] = []
  const dialled: string[] = []
  const keys: string[] = []
  let known = false
  const lookUp = createLookup({
    network: {
      peerId: 'self',
      connectedPeers: () => peers.map((peerId) => ({ peerId, direction: 'inbound' as const })),
      async *findProviders(key) {
        keys.push(key)
        for (const peerId of providers) yield { peerId, addresses: [`/address/of/${peerId}`] }
      },
    },
    table: { providersOf: () => (known ? ([{}] as never) : []) },
    connect: async ({ peerId }) => void dialled.push(peerId),
    pull: async (from) => {
      pulled.push(from)
      if (from === 'broken') throw new Error('no answer')
      if (knowing.includes(from)) known = true
    },
    isConnecting: () => isConnecting,
    onFailure: () => undefined,
  })
  return { lookUp, pulled, dialled, keys }
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
