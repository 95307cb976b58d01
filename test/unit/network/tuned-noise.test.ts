import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { expect, onTestFinished, test, vi } from 'vitest'
import { isEncrypted } from '../../../src/network/encrypted-stream.ts'
import { isTcp } from '../../../src/network/noise-writes.ts'
import { tunedNoise } from '../../../src/network/tuned-noise.ts'

const ECHO = '/test/echo/1.0.0'

async function startNode(encrypter: ReturnType<typeof tunedNoise>): Promise<Libp2p> {
  const node = await createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [encrypter],
    streamMuxers: [yamux()],
  })
  onTestFinished(async () => node.stop())
  await node.handle(ECHO, (stream) => {
    stream.addEventListener('message', ({ data }) => stream.send(data))
  })
  return node
}

async function echo(from: Libp2p, to: Libp2p, bytes: Uint8Array): Promise<Uint8Array> {
  const stream = await from.dialProtocol(to.getMultiaddrs(), ECHO)
  const parts: Uint8Array[] = []
  const arrived = new Promise<void>((resolve) => {
    stream.addEventListener('message', ({ data }) => {
      parts.push(data.subarray())
      if (Buffer.concat(parts).length >= bytes.length) resolve()
    })
  })
  stream.send(bytes)
  await arrived
  return Buffer.concat(parts)
}

test.each([
  ['speaks with itself', tunedNoise, tunedNoise],
  ['calls the library', tunedNoise, noise],
  ['is called by the library', noise, tunedNoise],
])('%s', async (_, caller, called) => {
  const [from, to] = await Promise.all([startNode(caller()), startNode(called())])
  for (const length of [1, 100, 1_199, 1_200, 20_000, 70_000, 1_000_000]) {
    const bytes = randomBytes(length)
    expect(Buffer.compare(await echo(from, to, bytes), bytes)).toBe(0)
  }
})

test('the library is still built as we know it, so that nothing is lost by an update unnoticed', async () => {
  const seen: { encrypted: boolean; tcp: boolean }[] = []
  const watched: typeof tunedNoise = () => (components) => {
    const encrypter = noise()(components)
    const secure = encrypter.secureOutbound.bind(encrypter)
    encrypter.secureOutbound = async (connection, options) => {
      const secured = await secure(connection, options)
      seen.push({ encrypted: isEncrypted(secured.connection), tcp: isTcp(connection) })
      return secured
    }
    return encrypter
  }
  const [from, to] = await Promise.all([startNode(watched()), startNode(noise())])
  await echo(from, to, randomBytes(1))
  expect(seen).toEqual([{ encrypted: true, tcp: true }])
})

test('small things sent in one turn are one message', async () => {
  const [from, to] = await Promise.all([startNode(tunedNoise()), startNode(tunedNoise())])
  const stream = await from.dialProtocol(to.getMultiaddrs(), ECHO)
  stream.send(new Uint8Array(10))
  await once(stream, 'message')
  await wait(20)
  const write = vi.spyOn(Socket.prototype, 'write')
  onTestFinished(() => void vi.restoreAllMocks())
  for (let index = 0; index < 5; index += 1) stream.send(new Uint8Array(10))
  expect(write).not.toHaveBeenCalled()
  await new Promise((resolve) => setImmediate(resolve))
  expect(write).toHaveBeenCalledTimes(1)
})

test('what is sent before a close in the same turn arrives', async () => {
  const [from, to] = await Promise.all([startNode(tunedNoise()), startNode(tunedNoise())])
  const arrived = new Promise<number>((resolve) => {
    const onStream = (stream: Stream): void =>
      stream.addEventListener('message', ({ data }) => resolve(data.byteLength))
    void to.handle('/test/last/1.0.0', onStream)
  })
  const stream = await from.dialProtocol(to.getMultiaddrs(), '/test/last/1.0.0')
  stream.send(new Uint8Array(10))
  await from.getConnections()[0]?.close()
  expect(await arrived).toBe(10)
})

test('of a long byte string the memory of what was written and of what was read is given back', async () => {
  const [from, to] = await Promise.all([startNode(tunedNoise()), startNode(tunedNoise())])
  const transfer = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'transfer')
    ?.value as () => ArrayBuffer
  let released = 0
  vi.spyOn(ArrayBuffer.prototype, 'transfer').mockImplementation(function (this: ArrayBuffer, length) {
    released += this.byteLength
    return Reflect.apply(transfer, this, [length]) as ArrayBuffer
  })
  onTestFinished(() => void vi.restoreAllMocks())
  const bytes = randomBytes(1_000_000)
  expect(Buffer.compare(await echo(from, to, bytes), bytes)).toBe(0)
  // There and back, written and read: four times, but for what came in small pieces.
  expect(released).toBeGreaterThan(2_000_000)
})
