import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LocalContext, MeshNode } from '../../src/daemon/index.ts'
import { createTestnet, type Testnet } from '../../src/daemon/testing.ts'
import { eventually } from './support/eventually.ts'

let testnet: Testnet
let provider: MeshNode
let caller: MeshNode

beforeAll(async () => {
  testnet = await createTestnet(3)
  ;[, provider, caller] = testnet.nodes as [MeshNode, MeshNode, MeshNode]
  provider.register('text.upper', (text: string) => text.toUpperCase(), {
    idempotent: true,
    description: 'Upper case',
  })
  provider.register('echo', (value: unknown) => value)
  provider.register('fail', () => {
    throw new RangeError('not today')
  })
  provider.register(
    'count',
    async function* (to: number) {
      for (let n = 1; n <= to; n += 1) yield n
      return 'done'
    },
    { stream: true },
  )
  provider.register(
    'sum',
    async (ctx: LocalContext) => {
      let sum = 0
      for await (const n of ctx.input) sum += n as number
      return sum
    },
    { clientStream: true },
  )
  provider.register(
    'double.each',
    async function* (ctx: LocalContext) {
      for await (const n of ctx.input) yield (n as number) * 2
    },
    { stream: true, clientStream: true },
  )
})

afterAll(async () => testnet[Symbol.asyncDispose]())

async function* numbers(to: number): AsyncGenerator<number> {
  for (let n = 1; n <= to; n += 1) yield n
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('a node that knows only the bootstrap finds and calls a function on a third node', async () => {
  const info = await caller.callWithInfo('text.upper', ['hello'])
  expect(info).toMatchObject({ result: 'HELLO', path: 'direct', attempts: 1, provider: { name: 'node-1' } })
})

test('values of every kind survive the way, bytes as bytes', async () => {
  const value = {
    text: '世界',
    list: [1, 2.5, -3, null, true],
    bytes: new Uint8Array([0, 255, 7]),
    $bin: { $bytes: 'x' },
  }
  expect(await caller.call('echo', [value])).toEqual(value)
})

test('large arguments and results go on a stream of their own', async () => {
  const big = new Uint8Array(5_000_000).fill(7)
  const back = (await caller.call('echo', [big])) as Uint8Array
  expect(Buffer.compare(back, big)).toBe(0)
  const text = 'x'.repeat(300_000)
  expect(await caller.call('echo', [text])).toBe(text)
})

test('a result that is too large for the shared stream is fetched', async () => {
  provider.register('make', (bytes: number) => new Uint8Array(bytes).fill(1))
  await eventually(() => caller.api.functions({ scope: 'mesh' }).some((fn) => fn.name === 'make'))
  expect(((await caller.call('make', [1_000_000])) as Uint8Array).length).toBe(1_000_000)
})

describe('streams', () => {
  test('of results', async () => {
    expect(await collect(caller.stream('count', [100]))).toEqual([...Array(100).keys()].map((n) => n + 1))
  })
  test('of inputs', async () => {
    expect(await caller.call('sum', [], { input: numbers(100) })).toBe(5050)
  })
  test('of both', async () => {
    expect(await collect(caller.stream('double.each', [], { input: numbers(5) }))).toEqual([2, 4, 6, 8, 10])
  })
  test('are cancelled when the reader leaves', async () => {
    let cancelled = false
    provider.register(
      'endless',
      async function* (ctx: LocalContext) {
        ctx.signal.addEventListener('abort', () => (cancelled = true))
        for (let n = 0; ; n += 1) yield n
      },
      { stream: true },
    )
    await eventually(() => caller.api.functions({ scope: 'mesh' }).some((fn) => fn.name === 'endless'))
    for await (const n of caller.stream('endless')) if (n === 10) break
    await eventually(() => cancelled)
  })
})

test('an error of the function keeps its name and message, never a stack', async () => {
  await expect(caller.call('fail')).rejects.toMatchObject({
    code: 'unknown',
    reason: 'function_error',
    message: 'not today',
    details: { name: 'RangeError' },
  })
})

test('a deadline ends the call at both ends', async () => {
  const aborted = Promise.withResolvers<void>()
  provider.register('sleep', (ctx: LocalContext) => {
    ctx.signal.addEventListener('abort', () => aborted.resolve())
    return new Promise((resolve) => setTimeout(resolve, 3_000))
  })
  await eventually(() => caller.api.functions({ scope: 'mesh' }).some((fn) => fn.name === 'sleep'))
  await expect(caller.call('sleep', [], { timeoutMs: 100 })).rejects.toMatchObject({
    reason: 'deadline_exceeded',
  })
  await aborted.promise
})

test('nobody offers it', async () => {
  await expect(caller.call('nothing')).rejects.toMatchObject({ reason: 'no_provider', code: 'not_found' })
})

test('progress and log lines reach the caller', async () => {
  provider.register('work', (ctx: LocalContext) => {
    ctx.progress({ percent: 50 })
    ctx.log('half way')
    return 'ok'
  })
  await eventually(() => caller.api.functions({ scope: 'mesh' }).some((fn) => fn.name === 'work'))
  const seen: unknown[] = []
  const sink = {
    chunk: () => undefined,
    progress: (p: unknown) => void seen.push(p),
    log: (l: unknown) => void seen.push(l),
  }
  const signal = AbortSignal.timeout(5_000)
  await caller.api.call({ fn: 'work', args: [], kwargs: {} }, sink, { signal })
  expect(seen).toEqual([{ percent: 50 }, { level: 'info', message: 'half way' }])
})

test('a version range picks the provider', async () => {
  const [boot] = testnet.nodes as [MeshNode]
  boot.register('which', () => 'one', { version: '1.4.0' })
  provider.register('which', () => 'two', { version: '2.1.0' })
  await eventually(() => caller.api.functions({ scope: 'mesh', q: 'which' }).length === 2)
  expect(await caller.call('which@^1')).toBe('one')
  expect(await caller.call('which@^2.0.0')).toBe('two')
  expect(await caller.call('node-1/which')).toBe('two')
  expect(await caller.call('which', [], { peer: boot.peerId })).toBe('one')
  await expect(caller.call('which@^3')).rejects.toMatchObject({ reason: 'no_provider' })
  await expect(caller.call('nobody-here/which')).rejects.toMatchObject({ reason: 'unknown_peer' })
})

test('the same idempotency key runs the function once and returns the first result', async () => {
  let runs = 0
  provider.register('once', () => {
    runs += 1
    return runs
  })
  await eventually(() => caller.api.functions({ scope: 'mesh', q: 'once' }).length > 0)
  expect(await caller.call('once', [], { key: 'invoice-17' })).toBe(1)
  expect(await caller.call('once', [], { key: 'invoice-17' })).toBe(1)
  expect(await caller.call('once', [], { key: 'invoice-18' })).toBe(2)
  expect(runs).toBe(2)
})

test('a private function can be called on its own device only, and is not advertised', async () => {
  provider.register('mine', () => 'secret', { access: 'private' })
  provider.register('after.mine', () => 'open')
  await eventually(() => caller.api.functions({ scope: 'mesh', q: 'after.mine' }).length > 0)
  expect(caller.api.functions({ scope: 'mesh' }).map((fn) => fn.name)).not.toContain('mine')
  expect(await provider.call('mine')).toBe('secret')
  await expect(caller.call('mine')).rejects.toMatchObject({ reason: 'no_provider' })
})

test('arguments by name reach the function', async () => {
  provider.register('named', (options: { a: number; b: number }) => options.a - options.b)
  await eventually(() => caller.api.functions({ scope: 'mesh', q: 'named' }).length > 0)
  expect(await caller.call('named', [], { kwargs: { a: 5, b: 3 } })).toBe(2)
})

test('a node finds itself a provider of its own functions', async () => {
  expect(await provider.callWithInfo('text.upper', ['x'])).toMatchObject({ result: 'X', path: 'local' })
})

test('a cancelled call ends at once at both ends', async () => {
  const aborted = Promise.withResolvers<string>()
  const started = Promise.withResolvers<void>()
  provider.register('wait', (ctx: LocalContext) => {
    started.resolve()
    ctx.signal.addEventListener('abort', () =>
      aborted.resolve((ctx.signal.reason as { reason: string }).reason),
    )
    return aborted.promise
  })
  await eventually(() => caller.api.functions({ scope: 'mesh', q: 'wait' }).length > 0)
  const controller = new AbortController()
  const call = caller.call('wait', [], { signal: controller.signal })
  await started.promise
  controller.abort()
  await expect(call).rejects.toMatchObject({ reason: 'cancelled' })
  expect(await aborted.promise).toBe('cancelled')
})
