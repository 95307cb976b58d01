/**
 * A small mesh in one process, for tests of your functions: `import { createTestnet } from 'easynet/testing'`.
 *
 * @packageDocumentation
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '../util/signals.ts'
import { createNode, type MeshNode } from './index.ts'
import { shareOwner } from './shared-owner.ts'

/** Nodes of one owner on the loopback interface; the first one is the bootstrap of the others. */
export interface Testnet extends AsyncDisposable {
  nodes: MeshNode[]
}

/**
 * Starts `count` connected nodes with empty homes, which are removed at the end.
 *
 * @example
 * await using testnet = await createTestnet(3)
 * testnet.nodes[1].register('double', (n: number) => n * 2)
 * await testnet.nodes[2].call('double', [21])
 */
export async function createTestnet(count: number): Promise<Testnet> {
  await using stack = new AsyncDisposableStack()
  const home = await mkdtemp(join(tmpdir(), 'easynet-testnet-'))
  stack.defer(async () => rm(home, { recursive: true, force: true }))
  const homes = Array.from({ length: count }, (_, index) => join(home, String(index)))
  shareOwner(homes, 'testnet')
  const nodes: MeshNode[] = []
  for (let index = 0; index < count; index += 1) {
    const bootstrap = nodes[0]?.addresses.slice(0, 1) ?? []
    const options = { home: homes[index] ?? home, name: `node-${index}`, bootstrap }
    nodes.push(stack.use(await createNode(options)))
  }
  for (const node of count > 1 ? nodes : []) await untilConnected(node)
  const parts = stack.move()
  return { nodes, [Symbol.asyncDispose]: async () => parts.disposeAsync() }
}

const CONNECT_TIMEOUT_MS = 10_000

async function untilConnected(node: MeshNode): Promise<void> {
  const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS)
  while (node.api.status().peers === 0) await sleep(5, signal)
}
