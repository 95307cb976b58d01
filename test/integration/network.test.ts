import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { MemoryDatastore } from 'datastore-core'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { EasyNetError } from '../../src/errors/error.ts'
import { createNetwork } from '../../src/network/libp2p-network.ts'
import type { Network } from '../../src/network/network.ts'
import { eventually } from './support/eventually.ts'

const open: Network[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(async (network) => network[Symbol.asyncDispose]()))
})

async function startNetwork(prepare: (network: Network) => void = () => {}): Promise<Network> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const { d, x } = privateKey.export({ format: 'jwk' })
  const raw = Buffer.concat([Buffer.from(d ?? '', 'base64url'), Buffer.from(x ?? '', 'base64url')])
  const network = await createNetwork(
    { privateKey: raw, datastore: new MemoryDatastore() },
    { listen: ['/ip4/127.0.0.1/tcp/0'], mdns: false, agentVersion: 'easynet/test', topics: ['t'] },
  )
  open.push(network)
  prepare(network)
  await network.start()
  return network
}

const soon = (): AbortSignal => AbortSignal.timeout(10_000)

async function startThree(): Promise<[Network, Network, Network]> {
  const boot = await startNetwork()
  const a = await startNetwork()
  const b = await startNetwork()
  for (const network of [a, b]) await network.connectTo(boot.addresses()[0] ?? '', soon())
  return [boot, a, b]
}

test('a provider record of the DHT leads to a device that was never heard of', async () => {
  const [, a, b] = await startThree()
  expect(b.isConnected(a.peerId)).toBe(false)
  await eventually(async () => {
    await a.directory.provide('function/text.upper', soon())
    for await (const provider of b.directory.find('function/text.upper', soon())) {
      if (provider.peerId === a.peerId) return true
    }
    return false
  })
})

test('gossip reaches peers of peers, and what the receiver rejects goes no further', async () => {
  const seen: string[] = []
  const boot = await startNetwork((network) => {
    network.gossip.onStart('t', (data) =>
      data.toString() === Buffer.from('bad').toString() ? 'reject' : 'accept',
    )
  })
  const subscribe = (network: Network): void => {
    network.gossip.onStart('t', (data) => {
      seen.push(Buffer.from(data).toString())
      return 'accept'
    })
  }
  const a = await startNetwork(subscribe)
  const b = await startNetwork(subscribe)
  for (const network of [a, b]) await network.connectTo(boot.addresses()[0] ?? '', soon())
  let n = 0
  await eventually(async () => {
    n += 1
    await a.gossip.publish('t', Buffer.from('bad'))
    await a.gossip.publish('t', Buffer.from(`news ${n}`))
    return seen.some((text) => text.startsWith('news'))
  }, 15_000)
  // They went the same way, the rejected ones first.
  expect(seen.filter((text) => text === 'bad')).toEqual([])
})

test('dialling an address under the wrong peer id fails', async () => {
  const a = await startNetwork()
  const b = await startNetwork()
  const other = await startNetwork()
  const [address] = (a.addresses()[0] ?? '').split('/p2p/')
  await expect(b.connect(other.peerId, [`${address}`], soon())).rejects.toMatchObject({
    reason: 'peer_unreachable',
    message: expect.stringContaining('another device answers') as string,
  })
  expect(b.isConnected(a.peerId)).toBe(false)
})

test('an unreachable peer, an unknown protocol and a passed deadline are told apart', async () => {
  const a = await startNetwork()
  const b = await startNetwork()
  await b.connectTo(a.addresses()[0] ?? '', soon())
  await expect(b.openStream(a.peerId, '/nobody/speaks/this', soon())).rejects.toMatchObject({
    reason: 'peer_unreachable',
    message: expect.stringContaining('does not speak') as string,
  })
  const gone = await startNetwork()
  const address = gone.addresses()[0] ?? ''
  await gone[Symbol.asyncDispose]()
  await expect(b.connectTo(address, soon())).rejects.toMatchObject({
    reason: 'peer_unreachable',
    retryable: true,
  })
  const passed = AbortSignal.abort(new EasyNetError('deadline_exceeded', 'late'))
  await expect(b.connectTo(a.addresses()[0] ?? '', passed)).rejects.toMatchObject({
    reason: 'deadline_exceeded',
  })
  const silent = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const limit = AbortSignal.timeout(300)
  await expect(b.connectTo(`/ip4/127.0.0.1/tcp/${port}`, limit)).rejects.toMatchObject({
    reason: 'peer_unreachable',
    message: expect.stringContaining('did not answer in time') as string,
  })
})

test('a blocked peer is cut off and cannot come back', async () => {
  const a = await startNetwork()
  const b = await startNetwork()
  await b.connectTo(a.addresses()[0] ?? '', soon())
  await a.setBlocked(new Set([b.peerId]))
  await eventually(() => !a.isConnected(b.peerId))
  await b.connectTo(a.addresses()[0] ?? '', soon()).catch(() => undefined)
  await eventually(() => !a.isConnected(b.peerId) && !b.isConnected(a.peerId))
})
