import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KAD_PROTOCOL } from '../../../src/network/limits.ts'
import { CALL_PROTOCOL } from '../../../src/protocols/call/constants.ts'
import { encodeQuestion, signAnnouncement } from '../../../src/protocols/capability/codec.ts'
import { ANNOUNCE_TOPIC, CAPABILITY_PROTOCOL } from '../../../src/protocols/capability/constants.ts'
import { encodeHello } from '../../../src/protocols/hello/codec.ts'
import { HELLO_PROTOCOL } from '../../../src/protocols/hello/constants.ts'
import { encodeQuestion as encodeTimelineQuestion } from '../../../src/protocols/timeline/codec.ts'
import { TIMELINE_PROTOCOL } from '../../../src/protocols/timeline/constants.ts'
import { type Attacker, createAttacker } from '../support/attacker.ts'
import { barrage } from '../support/barrage.ts'
import { captureCalls } from '../support/captures.ts'
import { addProvider, field, kadMessage, KadType, prefixed, sha256Hash } from '../support/kad.ts'
import { inventDevice } from '../support/keys.ts'
import { message } from '../support/messages.ts'
import { mutate, seededRandom } from '../support/random.ts'
import { startVictim, type Victim } from '../support/victim.ts'
import { MiB, times } from '../support/watch.ts'

// Mutated messages of every protocol that a daemon serves. A seed decides all of it: support/random.ts.

let victim: Victim
beforeAll(async () => {
  // Whatever reaches the prototype of objects throws.
  victim = await startVictim({ nodeOptions: '--disable-proto=throw' })
})
afterAll(async () => victim[Symbol.asyncDispose]())

const frames = times(10_000, 48)
const atOnce = 16

/** An attacker that comes back under a new name whenever it has been cut off, or has used up its rates. */
function createSwarm(perName: number) {
  let current: Promise<Attacker> = createAttacker()
  let used = 0
  return {
    async take(): Promise<Attacker> {
      used += 1
      if (used % perName === 0) {
        const old = current
        current = createAttacker()
        // Streams of the old one are still on their way.
        setTimeout(() => void old.then(async (attacker) => attacker[Symbol.asyncDispose]()), 3_000)
      }
      return current
    },
    [Symbol.asyncDispose]: async () => (await current)[Symbol.asyncDispose](),
  }
}

async function fuzz(name: string, protocol: string, originals: Buffer[], perName: number): Promise<void> {
  const random = seededRandom()
  await using swarm = createSwarm(perName)
  const siege = await victim.besiege(`${name}: mutated messages`)
  let opened = 0
  await barrage(frames, atOnce, async () => {
    const attacker = await swarm.take()
    try {
      const raw = await attacker.open(victim, protocol)
      opened += 1
      raw.send(mutate(random, random.pick(originals)))
      await raw.endWithin(random.int(8))
      raw.stream.abort(new Error('next'))
    } catch {
      // Refused: that is what a limit is for.
    }
  })
  expect(opened).toBeGreaterThan(frames / 4)
  await siege.end({ messages: frames, 'streams opened': opened }, times(60, 15) * MiB)
}

test('calls, on shared streams and on streams of their own', async () => {
  await using attacker = await createAttacker()
  const captures = await captureCalls(attacker, victim)
  // Results of calls that came through are kept for 10 minutes, some MiB of them.
  await fuzz('call', CALL_PROTOCOL, captures, 2_000)
})

test('questions about adverts', async () => {
  const known = new Map([[victim.peerId, 1]])
  const originals = [
    encodeQuestion(known),
    encodeQuestion(known, { peerIds: [victim.peerId, inventDevice().peerId] }),
    encodeQuestion(new Map(), { offering: 'text.upper' }),
  ]
  await fuzz('capability', CAPABILITY_PROTOCOL, originals.map(message), 400)
})

test('introductions', async () => {
  const hello = { name: 'mallory', software: 'x/1', features: ['a', 'b'] }
  await fuzz('hello', HELLO_PROTOCOL, [message(encodeHello(hello))], 16)
})

test('questions about timelines', async () => {
  const question = encodeTimelineQuestion(randomUUID())
  await fuzz('timeline', TIMELINE_PROTOCOL, [message(question)], 60)
})

test('messages of the DHT', async () => {
  const peer = (await createAttacker()).node.peerId.toMultihash().bytes
  const record = Buffer.concat([field(1, Buffer.from('/x/y')), field(2, Buffer.from('value'))])
  const originals = [
    addProvider(peer, sha256Hash(), 3),
    kadMessage(KadType.findNode, field(2, peer)),
    kadMessage(KadType.getProviders, field(2, sha256Hash())),
    kadMessage(KadType.getValue, field(2, Buffer.from('/pk/x'))),
    kadMessage(KadType.putValue, field(2, Buffer.from('/x/y')), field(3, record)),
    kadMessage(KadType.ping),
  ]
  await fuzz('DHT', KAD_PROTOCOL, originals, 2_000)
})

test('introductions of libp2p', async () => {
  const push = prefixed(
    Buffer.concat([
      field(5, Buffer.from('ipfs/0.1.0')),
      field(6, Buffer.from('mallory/1')),
      ...Array.from({ length: 20 }, (_, n) => field(3, Buffer.from(`/protocol/${n}`))),
    ]),
  )
  await fuzz('identify push', '/ipfs/id/push/1.0.0', [push], 16)
})

test('packets of gossip, and announcements', async () => {
  const key = inventDevice()
  const announcement = (seq: number): Buffer =>
    Buffer.from(signAnnouncement(key, { peerId: key.peerId, seq, expiresAt: Date.now() + 60_000 }))
  const random = seededRandom()
  const packet = (data: Uint8Array): Buffer =>
    prefixed(field(2, Buffer.concat([field(2, data), field(4, Buffer.from(ANNOUNCE_TOPIC))])))
  const control = prefixed(
    Buffer.concat([
      field(1, Buffer.concat([Buffer.from([8, 1]), field(2, Buffer.from(ANNOUNCE_TOPIC))])),
      field(3, field(1, Buffer.concat([field(1, Buffer.from(ANNOUNCE_TOPIC)), field(2, sha256Hash())]))),
    ]),
  )
  await using swarm = createSwarm(200)
  const siege = await victim.besiege('gossip: mutated packets')
  await barrage(frames, 4, async (index) => {
    const attacker = await swarm.take()
    try {
      const raw = await attacker.open(victim, '/meshsub/1.2.0')
      // Half of them are whole packets with a mutated announcement.
      if (index % 2 === 0) raw.send(packet(mutate(random, announcement(index))))
      else raw.send(mutate(random, index % 4 === 1 ? control : packet(announcement(index))))
      await raw.endWithin(2)
      raw.stream.abort(new Error('next'))
    } catch {
      // Refused.
    }
  })
  await siege.end({ packets: frames }, times(30, 15) * MiB)
})
