import { afterAll, beforeAll, expect, test } from 'vitest'
import { EasyNetError } from '../../src/errors/error.ts'
import type { LocalContext, MeshNode } from '../../src/daemon/index.ts'
import { createTestnet, type Testnet } from '../../src/daemon/testing.ts'
import { eventually } from './support/eventually.ts'

// What a maintainer's review found: ways in which a function ran twice, or its caller learned nothing.
let testnet: Testnet
let boot: MeshNode
let provider: MeshNode
let caller: MeshNode
beforeAll(async () => {
  testnet = await createTestnet(3)
  ;[boot, provider, caller] = testnet.nodes as [MeshNode, MeshNode, MeshNode]
})
afterAll(async () => testnet[Symbol.asyncDispose]())

const known = async (name: string, providers = 1): Promise<unknown> =>
  eventually(() => caller.api.functions({ scope: 'mesh', q: name })[0]?.providers.length === providers)

test('more results than streams: each of 400 calls with 100 kB back runs once and is answered', async () => {
  const runs = new Map<number, number>()
  const make = async (n: number): Promise<Uint8Array> => {
    runs.set(n, (runs.get(n) ?? 0) + 1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    return new Uint8Array(100_000).fill(n % 256)
  }
  const limits = { maxConcurrent: 500, maxQueue: 500 }
  boot.register('make', make, limits)
  provider.register('make', make, limits)
  await known('make', 2)
  const calls = Array.from({ length: 400 }, async (_, n) => caller.call('make', [n], { timeoutMs: 40_000 }))
  const results = (await Promise.all(calls)) as Uint8Array[]
  expect(results.every((bytes, n) => bytes.length === 100_000 && bytes[0] === n % 256)).toBe(true)
  expect([...runs.values()].filter((count) => count > 1)).toEqual([])
})

test('a function whose nested call fails is not run again elsewhere', async () => {
  let runs = 0
  const pay = async (): Promise<never> => {
    runs += 1
    throw new EasyNetError('peer_unreachable', 'the bank cannot be reached', { notStarted: true })
  }
  boot.register('pay', pay)
  provider.register('pay', pay)
  await known('pay', 2)
  await expect(caller.call('pay')).rejects.toMatchObject({
    reason: 'function_error',
    retryable: false,
    details: { reason: 'peer_unreachable' },
  })
  expect(runs).toBe(1)
})

test('a cancel reaches a function that does not take its inputs', async () => {
  const aborted = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  provider.register(
    'takes.one',
    async (ctx: LocalContext) => {
      ctx.signal.addEventListener('abort', () => aborted.resolve())
      for await (const _ of ctx.input) {
        started.resolve()
        await aborted.promise
        break
      }
    },
    { clientStream: true },
  )
  await known('takes.one')
  async function* many(): AsyncGenerator<number> {
    for (let n = 0; n < 50; n += 1) yield n
  }
  const controller = new AbortController()
  const call = caller.call('takes.one', [], { input: many(), timeoutMs: 60_000, signal: controller.signal })
  await started.promise
  controller.abort()
  await expect(call).rejects.toMatchObject({ reason: 'cancelled' })
  const late = new Promise((_, reject) =>
    setTimeout(() => reject(new Error('not within 5 s')), 5_000).unref(),
  )
  await Promise.race([aborted.promise, late])
})

test('one idempotency key at the same time is one run', async () => {
  let runs = 0
  provider.register('charge', async () => {
    runs += 1
    await new Promise((resolve) => setTimeout(resolve, 50))
    return runs
  })
  await known('charge')
  const calls = Array.from({ length: 5 }, async () => caller.call('charge', [], { key: 'order-7' }))
  expect(await Promise.all(calls)).toEqual([1, 1, 1, 1, 1])
  expect(runs).toBe(1)
})
