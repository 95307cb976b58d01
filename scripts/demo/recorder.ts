import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between two daemons as somebody on the network would, and keeps what it sees. */
export interface Recorder extends AsyncDisposable {
  /** The multiaddr to dial instead of the real one. */
  address: string
  /** Everything that passed so far, both directions. */
  recorded(): Buffer
}

/** @param address - `/ip4/127.0.0.1/tcp/PORT/p2p/ID` of the daemon behind it */
export async function createRecorder(address: string): Promise<Recorder> {
  const [, , host = '', , port, , peerId] = address.split('/')
  const chunks: Buffer[] = []
  const sockets = new Set<Socket>()
  const server = createServer((incoming) => {
    const outgoing = connect(Number(port), host)
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk: Buffer) => chunks.push(chunk))
      from.on('error', () => to.destroy())
      from.on('close', () => sockets.delete(from))
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}/p2p/${peerId}`,
    recorded: () => Buffer.concat(chunks),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
