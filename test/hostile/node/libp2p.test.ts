import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryDatastore } from 'datastore-core'
import { Key } from 'interface-datastore'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { guardDatastore } from '../../../src/network/guarded-datastore.ts'
import { createNetwork } from '../../../src/network/libp2p-network.ts'
import {
  KAD_PROTOCOL,
  MAX_CONNECTIONS_PER_PEER,
  MAX_DHT_RECORDS_PER_PEER,
  MAX_PEER_RECORD_BYTES,
  MAX_STORED_PEERS,
} from '../../../src/network/limits.ts'
import type { Network } from '../../../src/network/network.ts'
import { type Attacker, createAttacker, type RawStream } from '../support/attacker.ts'
import { addProvider, field, kadMessage, KadType, sha256Hash, varint } from '../support/kad.ts'
import { isFull, MiB, residentBytes, times } from '../support/watch.ts'

// What libp2p itself serves: the DHT, gossip, connections.

let network: Network
let attacker: Attacker
let datastore: MemoryDatastore
const heard: Uint8Array[] = []

beforeAll(async () => {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  datastore = new MemoryDatastore()
  network = await createNetwork(
    {
      privateKey: Buffer.concat([Buffer.from(d ?? '', 'base64url'), Buffer.from(x ?? '', 'base64url')]),
      datastore,
    },
    { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, agentVersion: 'easynet/test', topics: ['known'] },
  )
  network.gossip.onStart('known', (data) => {
    heard.push(data)
    return 'accept'
  })
  await network.start()
  attacker = await createAttacker()
})
afterAll(async () => {
  await attacker[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
})

const victim = () => ({ peerId: network.peerId, addresses: network.addresses() }) as never

const ownId = (): Uint8Array => attacker.node.peerId.toMultihash().bytes
async function keysUnder(prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of datastore.queryKeys({ prefix })) keys.push(key.toString())
  return keys
}
const openKad = async (): Promise<RawStream> => attacker.open(victim(), KAD_PROTOCOL)

test('20,000 provider records of one peer: a quota, then a reset', async () => {
  const before = await residentBytes()
  const count = times(20_000, 2_000)
  let sent = 0
  let resets = 0
  while (sent < count) {
    const raw = await openKad()
    for (let n = 0; n < 250; n += 1) raw.send(addProvider(ownId(), sha256Hash()))
    sent += 250
    const end = await raw.endWithin(sent <= 750 ? 100 : 1_500)
    if (end === 'reset') resets += 1
    raw.stream.abort(new Error('next'))
  }
  await expect.poll(async () => (await keysUnder('/dht/provider/')).length).toBe(MAX_DHT_RECORDS_PER_PEER)
  expect(resets).toBeGreaterThanOrEqual(Math.floor((count - MAX_DHT_RECORDS_PER_PEER) / 250))
  expect((await residentBytes()) - before).toBeLessThan(100 * MiB)
})

test('keys of any length, values, and addresses without end are not stored', async () => {
  const long = Buffer.concat([Buffer.from([0x12]), varint(100_000), randomBytes(100_000)])
  const record = Buffer.concat([field(1, Buffer.from('/x/y')), field(2, randomBytes(100))])
  const attacks = [
    addProvider(ownId(), long),
    kadMessage(KadType.putValue, field(2, randomBytes(32)), field(3, record)),
    kadMessage(KadType.putValue, field(2, Buffer.from('/pk/x')), field(3, record)),
    addProvider(ownId(), sha256Hash(), 20_000),
    kadMessage(99),
    // Libp2p waits for the bytes until its deadline of 10 s, and holds 4 MiB of them.
    ...(isFull ? [Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f])] : []),
  ]
  for (const [index, bytes] of attacks.entries()) {
    const raw = await openKad()
    raw.send(bytes)
    expect(await raw.endWithin(12_000), `attack ${index}`).toBe('reset')
  }
  expect((await keysUnder('/dht/')).filter((key) => !key.startsWith('/dht/provider/'))).toEqual([])
  for await (const { value } of datastore.query({ prefix: '/peers/' })) {
    expect(value.length).toBeLessThanOrEqual(MAX_PEER_RECORD_BYTES)
  }
})

test('the store of peers has an end, and forgets the longest unheard of', async () => {
  const inner = new MemoryDatastore()
  const guarded = await guardDatastore(inner, 'own')
  const key = (n: number): Key => new Key(`/peers/${n}`)
  for (let n = 0; n < MAX_STORED_PEERS; n += 1) await guarded.put(key(n), Uint8Array.of(1))
  await guarded.put(key(0), Uint8Array.of(2))
  await guarded.put(key(MAX_STORED_PEERS), Uint8Array.of(1))
  expect([await inner.has(key(0)), await inner.has(key(1)), await inner.has(key(2))]).toEqual([
    true,
    false,
    true,
  ])
  await expect(guarded.put(key(5), new Uint8Array(MAX_PEER_RECORD_BYTES + 1))).rejects.toThrow()
  // Our own records do not count, and what is deleted makes room.
  for (let n = 0; n < 3_000; n += 1) await guarded.put(new Key(`/dht/provider/${n}/own`), Uint8Array.of(1))
  for (let n = 0; n < MAX_DHT_RECORDS_PER_PEER; n += 1) {
    await guarded.put(new Key(`/dht/provider/${n}/other`), Uint8Array.of(1))
  }
  const more = new Key('/dht/provider/more/other')
  await expect(guarded.put(more, Uint8Array.of(1))).rejects.toThrow()
  const reopened = await guardDatastore(inner, 'own')
  await expect(reopened.put(more, Uint8Array.of(1))).rejects.toThrow()
  await reopened.delete(new Key('/dht/provider/7/other'))
  await reopened.put(more, Uint8Array.of(1))
})

test('a peer has few connections', async () => {
  const [address = ''] = network.addresses()
  const dials = Array.from({ length: 20 }, async () =>
    attacker.node.dial(multiaddr(address), { force: true }),
  )
  await Promise.allSettled(dials)
  const open = (): number => attacker.node.getConnections().filter(({ status }) => status === 'open').length
  await expect.poll(open).toBeLessThanOrEqual(MAX_CONNECTIONS_PER_PEER)
  expect(network.isConnected(attacker.peerId)).toBe(true)
})

test('gossip on unknown topics, without end or too long, reaches nobody', async () => {
  const { pubsub } = attacker.node.services
  const before = await residentBytes()
  await attacker.connect(victim())
  await expect.poll(() => pubsub.getSubscribers('known').length, { timeout: 5_000 }).toBe(1)
  for (let n = 0; n < times(20_000, 500); n += 1) pubsub.subscribe(`topic-${n}`)
  await Promise.allSettled(
    Array.from({ length: 200 }, async (_, n) => pubsub.publish(`topic-${n}`, randomBytes(1_000))),
  )
  await pubsub.publish('known', randomBytes(5_000))
  await pubsub.publish('known', Buffer.from('short'))
  await expect.poll(() => heard.length, { timeout: 5_000 }).toBeGreaterThan(0)
  // Too long for the stream: that is cut.
  await pubsub.publish('known', randomBytes(100_000)).catch(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(heard.map((data) => Buffer.from(data).toString())).toEqual(['short'])
  expect((await residentBytes()) - before).toBeLessThan(100 * MiB)
})
