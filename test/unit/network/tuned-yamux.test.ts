import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { expect, onTestFinished, test, vi } from 'vitest'
import { isYamuxStream, tunedYamux } from '../../../src/network/tuned-yamux.ts'
import { YamuxType } from '../../../src/network/yamux-frames.ts'

const PROTOCOL = '/test/take/1.0.0'
const KiB = 1024

async function startNode(muxer: typeof tunedYamux): Promise<Libp2p> {
  const node = await createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer({ streamOptions: { maxStreamWindowSize: 1024 * KiB } })],
  })
  onTestFinished(async () => node.stop())
  return node
}

/** A stream from one node to the other, and what has arrived. */
async function open(from: Libp2p, to: Libp2p) {
  const arrived: Uint8Array[] = []
  const accepted = new Promise<Stream>((resolve) => {
    const onStream = (stream: Stream): void => {
      stream.addEventListener('message', ({ data }) => arrived.push(data.slice()))
      resolve(stream)
    }
    void to.handle(PROTOCOL, onStream)
  })
  const sender = await from.dialProtocol(to.getMultiaddrs(), PROTOCOL)
  return { sender, receiver: await accepted, arrived: () => Buffer.concat(arrived) }
}

test.each([
  ['speaks with itself', tunedYamux, tunedYamux],
  ['sends to the library', tunedYamux, yamux],
  ['is sent to by the library', yamux, tunedYamux],
])('%s', async (_, sending, receiving) => {
  const [from, to] = await Promise.all([startNode(sending), startNode(receiving)])
  const { sender, arrived } = await open(from, to)
  const bytes = randomBytes(5_000 * KiB)
  for (const [at, end] of [
    [0, 1],
    [1, 100_000],
    [100_000, 3_000_000],
    [3_000_000, bytes.length],
  ]) {
    sender.send(bytes.subarray(at, end))
  }
  await expect.poll(() => arrived().length, { timeout: 5_000 }).toBe(bytes.length)
  expect(Buffer.compare(arrived(), bytes)).toBe(0)
})

test('the library is still built as we know it, so that nothing is lost by an update unnoticed', async () => {
  const [from, to] = await Promise.all([startNode(yamux), startNode(yamux)])
  const { sender, receiver } = await open(from, to)
  expect([isYamuxStream(sender), isYamuxStream(receiver)]).toEqual([true, true])
})

test('a window is filled up when half of it was used, also after a pause', async () => {
  const [from, to] = await Promise.all([startNode(tunedYamux), startNode(tunedYamux)])
  const { sender, receiver, arrived } = await open(from, to)
  const updates: number[] = []
  const sendFrame = vi.spyOn(receiver as unknown as { sendFrame(frame: object): boolean }, 'sendFrame')
  sendFrame.mockImplementation((frame) => {
    const { type, length } = frame as { type: number; length: number }
    if (type === YamuxType.windowUpdate) updates.push(length)
    return true
  })
  const send = async (bytes: number): Promise<void> => {
    const total = arrived().length + bytes
    sender.send(new Uint8Array(bytes))
    await expect.poll(() => arrived().length).toBe(total)
  }
  for (let index = 0; index < 12; index += 1) await send(10 * KiB)
  expect(updates).toEqual([])
  await send(10 * KiB)
  expect(updates).toHaveLength(1)
  expect(updates[0]).toBeGreaterThanOrEqual(130 * KiB)
  receiver.pause()
  receiver.resume()
  expect(updates).toHaveLength(1)
})
