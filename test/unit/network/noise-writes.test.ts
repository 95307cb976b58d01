import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, connect, type Socket } from 'node:net'
import type { MessageStream } from '@libp2p/interface'
import { expect, onTestFinished, test } from 'vitest'
import type { Encrypted } from '../../../src/network/encrypted-stream.ts'
import { isTcp, tuneWrites } from '../../../src/network/noise-writes.ts'

async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const near = connect(port, '127.0.0.1')
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ]
  onTestFinished(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return [near, far]
}

test('bytes are given back when the system has them, and not while the other side does not read', async () => {
  const [near, far] = await socketPair()
  const connection = { socket: near, sendData: () => undefined, close: async () => undefined }
  tuneWrites({} as Encrypted, connection as unknown as MessageStream)
  if (!isTcp(connection)) throw new Error('not a connection')
  const parts = Array.from({ length: 400 }, () => new Uint8Array(randomBytes(65_536)))
  const expected = Buffer.concat(parts)
  const results = parts.map((part) =>
    connection.sendData(Object.assign([part], { byteLength: part.length }) as never),
  )
  await new Promise((resolve) => setImmediate(resolve))
  const heldBytes = (): number => parts.reduce((sum, part) => sum + part.length, 0)
  // More than a socket and its peer buffer: some is taken, some waits.
  expect(results.at(-1)).toEqual({ sentBytes: 65_536, canSendMore: false })
  expect(results[0]).toEqual({ sentBytes: 65_536, canSendMore: true })
  expect(heldBytes()).toBeGreaterThanOrEqual(near.writableLength)
  expect(heldBytes()).toBeLessThan(expected.length)
  const arrived: Buffer[] = []
  let arrivedBytes = 0
  far.on('data', (chunk: Buffer) => {
    arrived.push(chunk)
    arrivedBytes += chunk.length
  })
  far.resume()
  await expect.poll(() => arrivedBytes).toBe(expected.length)
  expect(Buffer.compare(Buffer.concat(arrived), expected)).toBe(0)
  await expect.poll(heldBytes).toBe(0)
})
