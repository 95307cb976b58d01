import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Advert } from '../../../src/model/advert.ts'
import { advertisedFunctionSchema } from '../../../src/model/function.ts'
import { signAdvert, signAnnouncement } from '../../../src/protocols/capability/codec.ts'
import { ANNOUNCE_TOPIC, CAPABILITY_PROTOCOL } from '../../../src/protocols/capability/constants.ts'
import { HELLO_PROTOCOL } from '../../../src/protocols/hello/constants.ts'
import { TIMELINE_PROTOCOL } from '../../../src/protocols/timeline/constants.ts'
import { encodeCbor } from '../../../src/util/cbor.ts'
import { eventually } from '../../integration/support/eventually.ts'
import { type Attacker, createAttacker, type RawStream } from '../support/attacker.ts'
import { type DeviceKey, inventDevice } from '../support/keys.ts'
import { message, messagesIn } from '../support/messages.ts'
import { mutate, seededRandom } from '../support/random.ts'
import { startVictims, type Victims } from '../support/victims.ts'
import { isFull, MiB, times, watch } from '../support/watch.ts'

// Adverts, announcements and introductions that are forged, endless, or name victims.

let victims: Victims
let attacker: Attacker
/** What the attacker answers when it is asked for adverts. */
let answer: (raw: RawStream) => void = () => undefined
beforeAll(async () => {
  victims = await startVictims()
  attacker = await createAttacker()
  await attacker.serve(CAPABILITY_PROTOCOL, (raw) =>
    raw.stream.addEventListener('message', () => answer(raw), { once: true }),
  )
  await attacker.connect(victims.caller)
})
afterAll(async () => {
  await attacker[Symbol.asyncDispose]()
  await victims[Symbol.asyncDispose]()
})

const wait = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function advertOf(key: DeviceKey, change: Partial<Advert> = {}): Uint8Array {
  const now = Date.now()
  const advert = {
    peerId: key.peerId,
    name: 'made-up',
    software: 'x/1',
    seq: now,
    issuedAt: now,
    expiresAt: now + 3_600_000,
    addresses: [],
    functions: [advertisedFunctionSchema.parse({ name: 'made.up' })],
  }
  return signAdvert(key, { ...advert, ...change }).bytes
}

/** Makes the victim ask us, by news of a device that only we know. */
async function announce(key: DeviceKey = inventDevice(), seq = Date.now()): Promise<void> {
  const expiresAt = Date.now() + 60_000
  await attacker.node.services.pubsub.publish(
    ANNOUNCE_TOPIC,
    signAnnouncement(key, { peerId: key.peerId, seq, expiresAt }),
  )
}

/** Answers the next question, about a device, and resolves with how the victim ended the exchange. */
async function lie(messages: (raw: RawStream) => void, about = inventDevice()): Promise<string> {
  return new Promise((resolve) => {
    answer = (raw) => {
      answer = () => undefined
      messages(raw)
      void raw.endWithin(12_000).then(resolve)
    }
    void announce(about)
  })
}

const knows = (peerId: string): boolean => victims.caller.api.peers().some((peer) => peer.peerId === peerId)

test('forged, foreign, expired, too long and ill-named adverts end the exchange', async () => {
  const now = Date.now()
  const foreign = (key: DeviceKey): Uint8Array => {
    const { bytes } = signAdvert(inventDevice(), plainAdvert(key, now))
    return bytes
  }
  const adverts: Record<string, (key: DeviceKey) => Uint8Array> = {
    foreign,
    // Clocks may differ by almost two hours.
    expired: (key) => advertOf(key, { expiresAt: now - 3 * 3_600_000 }),
    eternal: (key) => advertOf(key, { expiresAt: now + 10 * 86_400_000 }),
    'not asked for': () => advertOf(inventDevice()),
    garbage: () => Buffer.alloc(300, 7),
    bomb: () => Buffer.concat([Buffer.from([0x9a, 0, 1, 0x86, 0xa0]), Buffer.alloc(100_000, 0x80)]),
    ...Object.fromEntries(
      ['a\nb', '\u001b[2J', 'a/b', 'a@b', '\u202etxt', '\u0000', 'x'.repeat(65), ''].map((name) => [
        `named ${JSON.stringify(name)}`,
        (key: DeviceKey) => advertOf(key, { name }),
      ]),
    ),
  }
  for (const [what, forge] of Object.entries(adverts)) {
    const key = inventDevice()
    expect(await lie((raw) => raw.send(message(forge(key))), key), what).toBe('reset')
    expect(knows(key.peerId)).toBe(false)
  }
  expect(await lie((raw) => raw.send(Buffer.from([255, 255, 255, 255])))).toBe('reset')
  // The same way with nothing wrong, to know that it is the lie that is refused.
  const honest = inventDevice()
  const end = await lie((raw) => {
    raw.send(message(advertOf(honest)))
    raw.stream.close().catch(() => undefined)
  }, honest)
  expect([end, knows(honest.peerId)]).toEqual(['closed', true])
})

function plainAdvert(key: DeviceKey, now: number): Advert {
  return {
    peerId: key.peerId,
    name: 'n',
    software: 's',
    seq: now,
    issuedAt: now,
    expiresAt: now + 60_000,
    addresses: [],
    functions: [],
  }
}

test('mutated adverts and announcements', async () => {
  const random = seededRandom()
  await using honest = await watch(victims.caller)
  const advert = Buffer.from(advertOf(attacker.key))
  for (let n = 0; n < times(500, 50); n += 1) {
    const key = inventDevice()
    const news = signAnnouncement(key, { peerId: key.peerId, seq: n, expiresAt: Date.now() + 60_000 })
    await attacker.node.services.pubsub.publish(ANNOUNCE_TOPIC, mutate(random, news))
    const raw = await attacker.open(victims.caller, CAPABILITY_PROTOCOL)
    raw.send(mutate(random, message(encodeCbor([[[attacker.peerId, 1]], null]))))
    await raw.endWithin(5)
    raw.stream.abort(new Error('next'))
    answer = (asked) => {
      asked.send(message(mutate(random, advert)))
      asked.stream.abort(new Error('next'))
    }
  }
  await honest.finish(100 * MiB)
})

test('adverts of thousands of made-up devices are bounded, and push out no honest one', async () => {
  await using honest = await watch(victims.caller)
  const told = new Set<string>()
  const padding = advertisedFunctionSchema.parse({ name: 'pad', description: 'x'.repeat(1_000) })
  answer = (raw) => {
    // The whole answer that is allowed, of devices that nobody has heard of.
    for (let n = 0; n < 256; n += 1) {
      const key = inventDevice()
      told.add(key.peerId)
      raw.send(message(advertOf(key, { functions: Array(20).fill(padding) as Advert['functions'] })))
    }
    raw.stream.close().catch(() => undefined)
  }
  // A pull for all adverts follows every connection.
  const count = times(100_000, 2_500)
  while (told.size < count) {
    await attacker.node.hangUp(attacker.node.getPeers()[0] ?? attacker.node.peerId)
    await attacker.connect(victims.caller)
    const before = told.size
    await eventually(() => told.size > before, 15_000)
    await wait(50)
  }
  const peers = victims.caller.api.peers()
  expect(peers.length).toBeLessThanOrEqual(2_000)
  expect(peers.filter((peer) => told.has(peer.peerId)).length).toBeGreaterThan(500)
  expect(knows(victims.provider.peerId)).toBe(true)
  await honest.finish(250 * MiB)
})

/** Opened once the attacker stays connected, and never used. */
let silent: RawStream | undefined

test('an answer without end is cut', async () => {
  silent = await attacker.open(victims.provider, HELLO_PROTOCOL)
  const advert = message(advertOf(attacker.key))
  const end = await lie((raw) => {
    const flood = setInterval(() => raw.send(Buffer.concat(Array.from({ length: 50 }, () => advert))), 1)
    void raw.ended.then(() => clearInterval(flood))
  })
  expect(end).toBe('reset')
})

test('a flood of announcements and of replays makes few questions', async () => {
  await using honest = await watch(victims.caller)
  let questions = 0
  answer = (raw) => {
    questions += 1
    setTimeout(() => void raw.stream.close().catch(() => undefined), 50)
  }
  const key = inventDevice()
  const seconds = isFull ? 10 : 2
  for (let n = 0; n < seconds * 500; n += 1) {
    await (n % 2 === 0 ? announce() : announce(key, 5))
    if (n % 50 === 0) await wait(100)
  }
  // Four at a time, and each takes 50 ms.
  expect(questions).toBeGreaterThan(0)
  expect(questions).toBeLessThan(80 * seconds + 150)
  await honest.finish(100 * MiB)
})

test('addresses of others in adverts are not dialled', async () => {
  let dialled = 0
  const victim = createServer((socket) => {
    dialled += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => victim.listen(0, '127.0.0.1', resolve))
  const { port } = victim.address() as AddressInfo
  const addresses = Array.from({ length: 16 }, () => `/ip4/127.0.0.1/tcp/${port}`)
  answer = (raw) => {
    for (let n = 0; n < 200; n += 1) raw.send(message(advertOf(inventDevice(), { addresses })))
    raw.stream.close().catch(() => undefined)
  }
  await attacker.node.hangUp(attacker.node.getPeers()[0] ?? attacker.node.peerId)
  await attacker.connect(victims.caller)
  await wait(1_500)
  expect(dialled).toBe(0)

  // Peers that come, name a victim's address as their own, and go.
  for (let n = 0; n < times(100, 8); n += 1) {
    const visitor = await createAttacker({ announced: [`/ip4/127.0.0.1/tcp/${port}`] })
    await visitor.connect(victims.caller)
    await visitor[Symbol.asyncDispose]()
  }
  await wait(1_000)
  expect(dialled).toBeLessThan(times(110, 20))
  await new Promise((resolve) => victim.close(resolve))
})

describe('questions and introductions', () => {
  const million = Buffer.concat([
    Buffer.from([0x82, 0x9a, 0, 0x0f, 0x42, 0x40]),
    Buffer.alloc(200_000, 0x80),
    Buffer.from([0xf6]),
  ])
  const hello = (more: object): Buffer =>
    message(encodeCbor({ name: 'n', software: 's', features: [], ...more }))
  const cases: [string, string, Buffer][] = [
    ['a question of 10^6 entries', CAPABILITY_PROTOCOL, message(million)],
    ['a question that is too long', CAPABILITY_PROTOCOL, Buffer.from([0, 0x10, 0, 0])],
    ['a question of garbage', CAPABILITY_PROTOCOL, message(Buffer.alloc(50, 0xff))],
    ['a hello that is too long', HELLO_PROTOCOL, Buffer.from([0, 0, 0x10, 0x01])],
    ['a hello of 2^32 - 1 bytes', HELLO_PROTOCOL, Buffer.from([255, 255, 255, 255])],
    ['a hello of garbage', HELLO_PROTOCOL, message(Buffer.alloc(50, 0xff))],
    ['a hello with an ANSI name', HELLO_PROTOCOL, hello({ name: '\u001b[31mroot' })],
    ['a hello with a line break', HELLO_PROTOCOL, hello({ name: 'a\n{"level":"info"}' })],
    ['a hello with 65 features', HELLO_PROTOCOL, hello({ features: Array(65).fill('f') })],
    ['a hello with a long software', HELLO_PROTOCOL, hello({ software: 'x'.repeat(65) })],
    ['a timeline question that is too long', TIMELINE_PROTOCOL, Buffer.from([0, 0, 4, 1])],
    ['a timeline question of garbage', TIMELINE_PROTOCOL, message(Buffer.alloc(50, 0xff))],
    ['a timeline question without an id', TIMELINE_PROTOCOL, message(encodeCbor({ id: 'all' }))],
  ]
  test.each(cases)('%s', async (_what, protocol, bytes) => {
    const raw = await attacker.open(victims.caller, protocol)
    raw.send(bytes)
    expect(await raw.endWithin(2_000)).toBe('reset')
  })

  test('silence is cut, at the latest by now', async () => {
    const late = await attacker.open(victims.caller, HELLO_PROTOCOL)
    expect(await silent?.endWithin(6_500)).toBe('reset')
    expect(await late.endWithin(1)).toBe('open')
    late.stream.abort(new Error('done'))
  })

  test('a timeline that is not kept for this peer is told as none', async () => {
    const raw = await attacker.open(victims.caller, TIMELINE_PROTOCOL)
    raw.send(message(encodeCbor({ id: '01a20341-ef6b-701a-a7cb-8368eba05670' })))
    await expect.poll(() => messagesIn(raw.received())).toEqual([Buffer.from(encodeCbor({ notes: null }))])
  })

  test('a question byte by byte is a question', async () => {
    const raw = await attacker.open(victims.caller, CAPABILITY_PROTOCOL)
    for (const byte of message(encodeCbor([[], [victims.caller.peerId]]))) raw.send(Uint8Array.of(byte))
    await expect.poll(() => messagesIn(raw.received()).length).toBe(1)
  })
})
