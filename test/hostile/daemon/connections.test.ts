import { connect, type Socket } from 'node:net'
import type { Connection } from '@libp2p/interface'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CALL_PROTOCOL } from '../../../src/protocols/call/constants.ts'
import {
  KAD_PROTOCOL,
  MAX_CONNECTIONS,
  MAX_HALF_OPEN,
  MAX_INBOUND_STREAMS,
} from '../../../src/network/limits.ts'
import { type Attacker, createAttacker } from '../support/attacker.ts'
import { header } from '../support/frames.ts'
import { startVictim, type Victim } from '../support/victim.ts'
import { isFull, MiB, times } from '../support/watch.ts'
import { Yamux, yamuxFrame } from '../support/yamux.ts'

// Below our protocols: sockets, connections and the multiplexer of a real daemon.

let victim: Victim
beforeAll(async () => {
  victim = await startVictim()
})
afterAll(async () => victim[Symbol.asyncDispose]())

const portOf = (address = ''): number => Number(/tcp\/(\d+)/.exec(address)?.[1])
const wait = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** An attacker with one connection, and the way to write frames of yamux on it. */
async function onTheWire(): Promise<
  Attacker & { write: (bytes: Uint8Array) => Promise<boolean>; socket: Socket }
> {
  const attacker = await createAttacker()
  const connection = await attacker.connect(victim)
  const [wire] = attacker.wires
  if (wire === undefined) throw new Error('no wire')
  const { socket } = (connection as unknown as { maConn: { socket: Socket } }).maConn
  return {
    ...attacker,
    socket,
    /** False once the victim has cut the connection. */
    async write(bytes) {
      if (wire.status !== 'open') return false
      if (!wire.send(bytes)) await Promise.race([wire.onDrain().catch(() => undefined), wait(1_000)])
      return wire.status === 'open'
    },
  }
}

/** Writes the same bytes again and again until the victim cuts the connection. */
async function writeUntilCut(
  write: (bytes: Uint8Array) => Promise<boolean>,
  bytes: Uint8Array,
  most: number,
) {
  let written = 0
  while (written < most && (await write(bytes))) written += 1
  return written
}

test.each([2 ** 31, 2 ** 32 - 1])('a frame of yamux of %d bytes is cut by its header', async (length) => {
  const siege = await victim.besiege(`yamux: a frame of ${length} bytes`)
  await using attacker = await onTheWire()
  await attacker.write(yamuxFrame(Yamux.data, Yamux.syn, 1_001, length))
  const written = await writeUntilCut(attacker.write, Buffer.alloc(MiB), 64)
  expect(written).toBeLessThan(8)
  await siege.end({ 'MiB written': written }, 5 * MiB)
})

test('a flood of pings whose answers are not read is cut', async () => {
  const siege = await victim.besiege('yamux: pings, answers not read')
  await using attacker = await onTheWire()
  attacker.socket.pause()
  const pings = Buffer.concat(Array.from({ length: 5_000 }, () => yamuxFrame(Yamux.ping, Yamux.syn, 0, 7)))
  await writeUntilCut(attacker.write, pings, times(100, 20))
  // It reads nothing, so it does not see that it was cut; the other side does.
  await expect.poll(async () => connectionsOf(attacker.peerId)).toBe(0)
  await siege.end({ pings: 5_000 * times(100, 20) }, 5 * MiB)
})

test('a byte at a time, whose window updates are not read, is cut', async () => {
  const siege = await victim.besiege('yamux: bytes one by one, updates not read')
  await using attacker = await onTheWire()
  const { stream } = await attacker.open(victim, CALL_PROTOCOL)
  stream.send(header(1, 0, MiB))
  await wait(100)
  attacker.socket.pause()
  const { streamId } = stream as unknown as { streamId: number }
  const one = yamuxFrame(Yamux.data, 0, streamId, 1, Buffer.from([1]))
  await writeUntilCut(attacker.write, Buffer.concat(Array.from({ length: 5_000 }, () => one)), 200)
  await expect.poll(async () => connectionsOf(attacker.peerId), { timeout: 10_000 }).toBe(0)
  await siege.end({ frames: 1_000_000 }, 5 * MiB)
})

test('streams without end, never used, are bounded and then cut', async () => {
  const siege = await victim.besiege('yamux: streams opened and never used')
  await using attacker = await onTheWire()
  let id = 1_001
  const count = times(100_000, 10_000)
  for (let n = 0; n < count; n += 1_000) {
    const opened = Array.from({ length: 1_000 }, () =>
      yamuxFrame(Yamux.windowUpdate, Yamux.syn, (id += 2), 0),
    )
    await attacker.write(Buffer.concat(opened))
  }
  // Each is an object with its timers until nobody has named a protocol for 10 s.
  await siege.end({ streams: count, 'kept open': MAX_INBOUND_STREAMS }, 8 * MiB)
})

test('streams that are reset at once, in every state of theirs', async () => {
  const siege = await victim.besiege('yamux: opened and reset at once')
  await using attacker = await onTheWire()
  let id = 1_001
  const count = times(100_000, 5_000)
  const hello = Buffer.from('\u0013/multistream/1.0.0\n')
  const protocol = Buffer.concat([Buffer.from([CALL_PROTOCOL.length + 1]), Buffer.from(`${CALL_PROTOCOL}\n`)])
  const stages = [
    Buffer.alloc(0),
    hello,
    Buffer.concat([hello, protocol]),
    Buffer.concat([hello, protocol, header(1, 1, 100)]),
  ]
  for (let n = 0; n < count; n += 100) {
    const frames = Array.from({ length: 100 }, (_, index) => {
      id += 2
      const bytes = stages[index % stages.length] ?? hello
      return [
        yamuxFrame(Yamux.data, Yamux.syn, id, bytes.length, bytes),
        yamuxFrame(Yamux.windowUpdate, index % 3 === 0 ? Yamux.fin : Yamux.rst, id, 0),
      ]
    })
    await attacker.write(Buffer.concat(frames.flat()))
  }
  await siege.end({ streams: count }, 8 * MiB)
})

test('windows of 4 GiB, windows of nothing, a GoAway and unknown frames', async () => {
  const siege = await victim.besiege('yamux: odd frames')
  const attacks: [what: string, frames: Buffer[]][] = [
    [
      'windows without end',
      Array.from({ length: 1_000 }, () => yamuxFrame(Yamux.windowUpdate, 0, 1, 2 ** 32 - 1)),
    ],
    [
      'frames of streams that never were',
      Array.from({ length: 1_000 }, (_, n) => yamuxFrame(0, 0, 2 * n + 9_001, 1, Buffer.from([1]))),
    ],
    ['an answer to no ping', [yamuxFrame(Yamux.ping, Yamux.ack, 0, 9)]],
    ['a GoAway, then more', [yamuxFrame(Yamux.goAway, 0, 0, 0), yamuxFrame(Yamux.data, Yamux.syn, 1_001, 0)]],
    ['an even stream id', [yamuxFrame(Yamux.data, Yamux.syn, 1_002, 0)]],
    ['a wrong version', [Buffer.alloc(12, 0xff)]],
    ['an unknown type', [yamuxFrame(9, 0, 1, 0)]],
    [
      'every flag at once',
      [yamuxFrame(Yamux.data, 15, 1_001, 1, Buffer.from([1])), yamuxFrame(Yamux.data, 0xffff, 1_003, 0)],
    ],
    ['data for stream 0', [yamuxFrame(Yamux.data, Yamux.syn, 0, 1, Buffer.from([1]))]],
    ['a window that is exceeded', [yamuxFrame(Yamux.data, Yamux.syn, 1_001, MiB, Buffer.alloc(MiB))]],
  ]
  for (const [, frames] of attacks) {
    await using attacker = await onTheWire()
    for (const bytes of frames) await attacker.write(bytes)
    await wait(50)
  }
  await siege.end({ attacks: attacks.length }, 5 * MiB)
})

test('sockets that never say who they are keep nobody out', async () => {
  const siege = await victim.besiege('half-open dials')
  const port = portOf(victim.addresses[0])
  const sockets: Socket[] = []
  const open = (): void => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
    socket.on('error', () => undefined)
    sockets.push(socket)
  }
  const count = times(600, 150)
  for (let n = 0; n < count; n += 10) {
    for (let at = 0; at < 10; at += 1) open()
    await wait(100)
  }
  await using honest = await createAttacker()
  const startedAt = performance.now()
  const connection = await honest.connect(victim)
  expect(connection.status).toBe('open')
  const dialMs = performance.now() - startedAt
  const left = (): number => sockets.filter((socket) => !socket.destroyed).length
  await expect.poll(left, { timeout: 5_000 }).toBeLessThanOrEqual(MAX_HALF_OPEN)
  for (const socket of sockets) socket.destroy()
  await siege.end({ sockets: count, 'honest dial ms': Math.round(dialMs) }, 5 * MiB)
})

test('garbage instead of a handshake, and lengths without end', async () => {
  const siege = await victim.besiege('garbage in the handshake')
  const port = portOf(victim.addresses[0])
  const multistream = Buffer.from('\u0013/multistream/1.0.0\n')
  const noise = Buffer.concat([multistream, Buffer.from('\u0007/noise\n')])
  const starts = [
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.alloc(4 * MiB, 0xff),
    Buffer.concat([multistream, Buffer.alloc(4 * MiB, 0x80)]),
    Buffer.concat([noise, Buffer.from([0xff, 0xff]), Buffer.alloc(65_535, 7)]),
    Buffer.concat([noise, Buffer.from([0, 32]), Buffer.alloc(32)]),
    Buffer.concat([noise, Buffer.alloc(MiB)]),
    Buffer.concat(Array.from({ length: 10_000 }, () => multistream)),
    Buffer.concat([multistream, ...Array.from({ length: 10_000 }, () => Buffer.from('\u0003ls\n'))]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
  ]
  const count = times(1_000, 45)
  for (let n = 0; n < count; n += 1) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
    socket.on('error', () => undefined)
    socket.write(starts[n % starts.length] ?? noise)
    await wait(12)
    socket.destroy()
  }
  await siege.end({ sockets: count }, 5 * MiB)
})

test('lengths without end on streams of libp2p', async () => {
  const siege = await victim.besiege('lengths without end')
  const count = times(200, 12)
  const protocols = ['/ipfs/id/push/1.0.0', KAD_PROTOCOL, '/meshsub/1.2.0', '/no/such/protocol']
  for (let n = 0; n < count; n += 1) {
    const protocol = protocols[n % protocols.length] ?? ''
    await using attacker = await onTheWire()
    const named = Buffer.from(
      `\u0013/multistream/1.0.0\n${String.fromCharCode(protocol.length + 1)}${protocol}\n`,
    )
    const bytes = Buffer.concat([named, Buffer.alloc(200_000, 0xff)])
    await attacker.write(yamuxFrame(Yamux.data, Yamux.syn, 1_001, bytes.length, bytes))
    await wait(20)
  }
  await siege.end({ streams: count }, 5 * MiB)
})

// A minute's work: by day test/unit/network/crowd.test.ts has to do.
test.runIf(isFull)('a crowd of invented devices keeps out nobody but itself', async () => {
  const siege = await victim.besiege('connections of invented devices')
  const crowd: Attacker[] = []
  const connections: Connection[] = []
  const join = async (): Promise<void> => {
    const attacker = await createAttacker({ host: '127.0.0.2' })
    crowd.push(attacker)
    connections.push(await attacker.connect(victim))
  }
  const count = MAX_CONNECTIONS + 100
  for (let n = 0; n < count; n += 10) await Promise.all(Array.from({ length: 10 }, join))
  const open = (): number => connections.filter(({ status }) => status === 'open').length
  await expect.poll(open, { timeout: 10_000 }).toBeLessThanOrEqual(MAX_CONNECTIONS)
  const leftOpen = open()
  await using honest = await createAttacker()
  const connection = await honest.connect(victim)
  await wait(300)
  expect(connection.status).toBe('open')
  await Promise.all(crowd.map(async (attacker) => attacker[Symbol.asyncDispose]()))
  await siege.end({ devices: count, 'left open': leftOpen }, 40 * MiB)
})

/** Connections that the victim has to a peer. */
async function connectionsOf(peerId: string): Promise<number> {
  const response = await victim.daemon.fetch('/v1/peers')
  const { peers } = (await response.json()) as { peers: { peerId: string; connected: boolean }[] }
  return peers.filter((peer) => peer.peerId === peerId && peer.connected).length
}
