import type { LocalContext, MeshNode } from '../../../src/daemon/index.ts'
import { createTestnet } from '../../../src/daemon/testing.ts'
import { eventually } from '../../integration/support/eventually.ts'

/** A provider that is attacked, and an honest caller of it. */
export interface Victims extends AsyncDisposable {
  provider: MeshNode
  caller: MeshNode
}

export async function startVictims(): Promise<Victims> {
  const testnet = await createTestnet(2)
  const [provider, caller] = testnet.nodes as [MeshNode, MeshNode]
  provider.register('text.upper', (text: string) => text.toUpperCase(), { idempotent: true })
  provider.register('echo', (value: unknown) => value, { idempotent: true })
  provider.register('wait', async (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)))
  provider.register('make', (bytes: number) => new Uint8Array(bytes), { idempotent: true })
  provider.register(
    'flood',
    async function* (chunks: number, bytes: number) {
      for (let n = 0; n < chunks; n += 1) yield new Uint8Array(bytes)
    },
    { stream: true },
  )
  provider.register(
    'never.reads',
    async (ctx: LocalContext) =>
      new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve(null))),
    { clientStream: true },
  )
  provider.register(
    'chatter',
    async (lines: number, ctx: LocalContext) => {
      for (let n = 0; n < lines; n += 1) {
        ctx.progress({ text: 'x'.repeat(1_000) })
        if (n % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    },
    { idempotent: true },
  )
  await eventually(() => caller.api.functions({ scope: 'mesh' }).some((fn) => fn.name === 'chatter'))
  return { provider, caller, [Symbol.asyncDispose]: async () => testnet[Symbol.asyncDispose]() }
}
