import { expect, onTestFinished, test } from 'vitest'
import { createTestnet } from '../../../src/daemon/testing.ts'
import { CALL_PROTOCOL } from '../../../src/protocols/call/constants.ts'
import { encodeQuestion } from '../../../src/protocols/capability/codec.ts'
import { CAPABILITY_PROTOCOL } from '../../../src/protocols/capability/constants.ts'
import { encodeHello } from '../../../src/protocols/hello/codec.ts'
import { HELLO_PROTOCOL } from '../../../src/protocols/hello/constants.ts'
import { TIMELINE_PROTOCOL } from '../../../src/protocols/timeline/constants.ts'
import { createAttacker } from '../support/attacker.ts'

function message(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([length, content])
}
const GUARDED = [
  CALL_PROTOCOL,
  CAPABILITY_PROTOCOL,
  TIMELINE_PROTOCOL,
  '/easynet/kad/1.0.0',
  '/meshsub/1.2.0',
]

async function setUp() {
  const testnet = await createTestnet(2)
  onTestFinished(async () => testnet[Symbol.asyncDispose]())
  const attacker = await createAttacker()
  onTestFinished(async () => attacker[Symbol.asyncDispose]())
  const [victim, friend] = testnet.nodes
  if (victim === undefined || friend === undefined) throw new Error('no nodes')
  return { victim, friend, attacker }
}

test('a device that never says hello gets no byte out of any protocol, and is cut off', async () => {
  const { victim, friend, attacker } = await setUp()
  victim.register('text.upper', (text: string) => text.toUpperCase())
  const connection = await attacker.connect(victim)
  const streams = await Promise.all(GUARDED.map((protocol) => attacker.open(victim, protocol)))
  // A question that every member is answered.
  streams[1]?.send(message(encodeQuestion(new Map())))
  expect(await Promise.all(streams.map((stream) => stream.endWithin(15_000)))).toEqual(
    GUARDED.map(() => 'reset'),
  )
  expect(streams.map((stream) => stream.received().length)).toEqual(GUARDED.map(() => 0))
  await expect.poll(() => connection.status, { timeout: 5_000 }).toBe('closed')
  await expect.poll(async () => friend.call('text.upper', ['hi']), { timeout: 10_000 }).toBe('HI')
})

test('a version without meshes, and one that says more than we know, are answered in order', async () => {
  const { victim, attacker } = await setUp()
  const old = await attacker.open(victim, HELLO_PROTOCOL)
  old.send(message(encodeHello({ name: 'old', software: 'easynet/0.1.0', features: [] })))
  await expect.poll(() => old.received().length, { timeout: 5_000 }).toBeGreaterThan(20)
  await expect.poll(() => attacker.node.getConnections().length, { timeout: 5_000 }).toBe(0)
  const newer = await attacker.open(victim, HELLO_PROTOCOL)
  const more = {
    name: 'new',
    software: 'easynet/9.0.0',
    features: ['teleport'],
    nonce: new Uint8Array(16),
    colour: 'red',
  }
  newer.send(message(encodeHello(more)))
  await expect.poll(() => newer.received().length, { timeout: 5_000 }).toBeGreaterThan(20)
  // The answer shows tags, never the id of the mesh or its owner.
  const { owner, meshes } = victim.api.status()
  const told = newer.received().toString('hex')
  for (const secret of [owner, ...meshes.map(({ id }) => id)]) expect(told).not.toContain(secret)
})
