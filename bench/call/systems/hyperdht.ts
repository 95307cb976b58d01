import { createRequire } from 'node:module'
import { checkUpload, partsOf, type System } from '../system.ts'

// hyperdht + protomux-rpc: Noise over UDX, found through a DHT. The upload is a row of requests, since
// protomux-rpc has no streams.

interface Connection {
  on(event: 'error', listener: () => void): void
}
interface Dht {
  defaultKeyPair: { publicKey: Buffer }
  createServer(listener: (connection: Connection) => void): { listen(): Promise<void>; publicKey: Buffer }
  connect(publicKey: Buffer): Connection
}
interface Rpc {
  respond(method: string, handler: (request: Buffer) => Buffer): void
  request(method: string, value: Uint8Array): Promise<Buffer>
  fullyOpened(): Promise<void>
}

const UPLOADS_IN_FLIGHT = 16

const require = createRequire(import.meta.url)
/** Native addons: where no binary fits, the failure to load them is what the run reports. */
const load = () => ({
  createDht: require('hyperdht') as new (init: { bootstrap: unknown }) => Dht,
  createRpc: require('protomux-rpc') as new (connection: Connection) => Rpc,
  createTestnet: require('hyperdht/testnet') as (
    size: number,
  ) => Promise<{ bootstrap: unknown; createNode(): Dht }>,
})

export const hyperdht: System = {
  async serve() {
    const { createRpc: RpcOver, createTestnet } = load()
    const testnet = await createTestnet(3)
    const server = testnet.createNode().createServer((connection) => {
      connection.on('error', () => undefined)
      const rpc = new RpcOver(connection)
      rpc.respond('echo', (request) => request)
      rpc.respond('upload', (request) => Buffer.from(String(request.length)))
    })
    await server.listen()
    return { publicKey: server.publicKey.toString('hex'), bootstrap: JSON.stringify(testnet.bootstrap) }
  },
  async connect(_, { publicKey = '', bootstrap = '' }) {
    const { createDht: DhtNode, createRpc: RpcOver } = load()
    const node = new DhtNode({ bootstrap: JSON.parse(bootstrap) as unknown })
    const connection = node.connect(Buffer.from(publicKey, 'hex'))
    connection.on('error', () => undefined)
    const rpc = new RpcOver(connection)
    await rpc.fullyOpened()
    return {
      echo: async (bytes) => rpc.request('echo', bytes),
      async upload(parts) {
        const source = partsOf(parts)
        let received = 0
        const lane = async (): Promise<void> => {
          for (const part of source) {
            const counted = await rpc.request('upload', part)
            received += Number(counted.toString())
          }
        }
        await Promise.all(Array.from({ length: UPLOADS_IN_FLIGHT }, lane))
        checkUpload(received, parts)
      },
    }
  },
}
