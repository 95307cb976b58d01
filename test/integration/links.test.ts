import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'vitest'
import { createNode, type LocalContext, type MeshNode } from '../../src/daemon/index.ts'
import { eventually } from './support/eventually.ts'
import { type Link, startLink } from './support/link.ts'

const MiB = 1024 * 1024

interface Linked {
  provider: MeshNode
  caller: MeshNode
  link: Link
}

/** Two nodes, and between them a link of so many bytes per second from the caller. */
async function startLinked(
  { onTestFinished }: TestContext,
  name: string,
  upBytesPerSecond?: number,
): Promise<Linked> {
  const stack = new AsyncDisposableStack()
  onTestFinished(async () => stack.disposeAsync())
  const home = await mkdtemp(join(tmpdir(), 'easynet-link-'))
  stack.defer(async () => rm(home, { recursive: true, force: true }))
  const provider = stack.use(await createNode({ home: join(home, 'provider'), name: 'provider' }))
  provider.register(name, (bytes: Uint8Array) => bytes.length)
  const port = Number(provider.addresses[0]?.split('/')[4])
  const link = stack.use(await startLink(port, upBytesPerSecond))
  const address = `/ip4/127.0.0.1/tcp/${link.port}/p2p/${provider.peerId}`
  const caller = stack.use(
    await createNode({ home: join(home, 'caller'), name: 'caller', bootstrap: [address] }),
  )
  await eventually(() => caller.api.functions({ scope: 'mesh', q: name }).length > 0)
  return { provider, caller, link }
}

test.concurrent(
  'an upload that keeps a slow link busy for half a minute arrives, and small calls pass meanwhile',
  async (context) => {
    const { expect } = context
    const { caller, provider } = await startLinked(context, 'length', 250 * 1024)
    const upload = caller.call('length', [new Uint8Array(8 * MiB)], { timeoutMs: 55_000 })
    let isDone = false
    const whenDone = upload.finally(() => (isDone = true))
    let losses = 0
    const watch = setInterval(() => {
      if (!caller.api.peers().some((peer) => peer.connected && peer.peerId === provider.peerId)) losses += 1
    }, 100)
    context.onTestFinished(() => clearInterval(watch))
    const waits: number[] = []
    while (!isDone) {
      const startedAt = performance.now()
      // Others share the link.
      const small = caller.call('length', [new Uint8Array(10)], { timeoutMs: 30_000 })
      await Promise.race([small, whenDone])
      waits.push(performance.now() - startedAt)
    }
    expect(await whenDone).toBe(8 * MiB)
    expect(losses).toBe(0)
    // One window of 1 MiB is before it: 4 s. With 4 MiB it waited 16 s, longer than opening a stream may take.
    expect(Math.max(...waits)).toBeLessThan(8_000)
  },
)

test.concurrent('a link that goes dead without a word is noticed within 5 s', async (context) => {
  const { expect } = context
  const { caller, provider, link } = await startLinked(context, 'dead')
  const isConnected = (node: MeshNode): boolean => node.api.peers().some((peer) => peer.connected)
  link.silence()
  const startedAt = performance.now()
  await Promise.all(
    [caller, provider].map(async (node) => {
      await eventually(() => !isConnected(node))
      expect(performance.now() - startedAt).toBeLessThan(6_000)
    }),
  )
})

test('a connection that breaks during a call: the provider is asked, the function has run once', async (context) => {
  const { expect } = context
  const { caller, provider, link } = await startLinked(context, 'length')
  const started: number[] = []
  const finish = Promise.withResolvers<string>()
  provider.register('work', async (n: number) => {
    started.push(n)
    return finish.promise
  })
  provider.register(
    'forever',
    async function* (ctx: LocalContext) {
      for (let n = 0; !ctx.signal.aborted; n += 1) {
        yield n
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    { stream: true },
  )
  await eventually(() => caller.api.functions({ scope: 'mesh', q: 'forever' }).length > 0)
  const calls = [1, 2, 3].map(async (n) => caller.callWithInfo('work', [n], { timeoutMs: 30_000 }))
  const stream = (async () => {
    for await (const n of caller.stream('forever', [], { timeoutMs: 30_000 })) if ((n as number) < 0) break
  })()
  const streamFailed = expect(stream).rejects.toMatchObject({ reason: 'outcome_unknown' })
  await eventually(() => started.length === 3)
  link.cut()
  // What nobody can read any more ends; what has one result goes on.
  await streamFailed
  finish.resolve('worked')
  const results = await Promise.all(calls)
  for (const { result, attempts } of results) expect([result, attempts]).toEqual(['worked', 1])
  expect(started.toSorted((a, b) => a - b)).toEqual([1, 2, 3])
})
