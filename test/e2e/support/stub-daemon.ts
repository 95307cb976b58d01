import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeApi } from '../../../src/api/node-api.ts'
import type { Node, NodeInit } from '../../../src/daemon/node-types.ts'
import { runDaemon } from '../../../src/daemon/run.ts'
import { EasyNetError } from '../../../src/errors/error.ts'

// The real easynetd around a node that does nothing: for what no healthy node does on demand.
// STUB_DRAIN_MS: how long its calls run on. `ping` of the peer "crash-…" makes it fail in that way.
const code = await runDaemon({
  argv: process.argv.slice(2),
  env: process.env,
  loadNode: async () => createStubNode,
})
process.exit(code)

async function createStubNode({ config, events, version, requestShutdown }: NodeInit): Promise<Node> {
  const peerId = '12D3KooWStub'
  const api: Partial<NodeApi> = {
    status: () => ({
      schema: 'status/1',
      peerId,
      name: config.name,
      owner: '00'.repeat(32),
      meshes: [],
      version,
      uptimeMs: 0,
      addresses: config.network.listen,
      reachability: 'private',
      peers: 0,
      functions: 0,
      calls: { running: 0, done: 0, failed: 0 },
      storage: 'ok',
    }),
    events,
    shutdown: requestShutdown,
    ping: async (peer) => {
      if (peer === 'crash-rejection') void Promise.reject(new Error('nobody waits for this'))
      if (peer === 'crash-exception') setImmediate(() => crash())
      throw new EasyNetError('unknown_peer', 'The stub knows nobody.')
    },
  }
  return {
    api: api as NodeApi,
    peerId,
    name: config.name,
    addresses: () => config.network.listen,
    async drain(signal) {
      await sleep(Number(process.env['STUB_DRAIN_MS'] ?? 0), undefined, { signal })
    },
    async [Symbol.asyncDispose]() {},
  }
}

function crash(): never {
  throw new Error('nobody catches this')
}
