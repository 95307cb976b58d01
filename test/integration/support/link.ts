import { createServer, connect, type AddressInfo, type Socket } from 'node:net'

/** A TCP link between a client and `port` that can be slow, or go dead without a word. */
export interface Link extends AsyncDisposable {
  readonly port: number
  /** From now on nothing passes, in neither direction, and no end is told. */
  silence(): void
  /** Breaks the connections that pass through now; new ones may come. */
  cut(): void
}

/** @param upBytesPerSecond - what passes from the client; the other direction is not slowed */
export async function startLink(port: number, upBytesPerSecond = Infinity): Promise<Link> {
  const sockets = new Set<Socket>()
  let isSilent = false
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1')
    const end = (): void => {
      client.destroy()
      target.destroy()
    }
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
    }
    target.on('data', (data) => {
      if (!isSilent) client.write(data)
    })
    client.on('data', (data) => {
      if (isSilent) return
      target.write(data)
      client.pause()
      setTimeout(() => client.resume(), (data.length / upBytesPerSecond) * 1_000)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    silence() {
      isSilent = true
    },
    cut() {
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
