import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Mesh } from '../../src/sdk/index.ts'
import { eventually } from '../integration/support/eventually.ts'
import { type DaemonMesh, startMesh, untilKnown, watchMemory } from './support/mesh.ts'
import { type ProviderProgram, startProviderProgram } from './support/program.ts'

// Three daemons with empty homes; caller and provider know only the bootstrap.
const MIB = 1024 * 1024
const MAX_GROWTH_BYTES = 150_000_000
let mesh: DaemonMesh
let program: ProviderProgram
let app: Mesh

beforeAll(async () => {
  mesh = await startMesh()
  program = await startProviderProgram(mesh.provider.home)
  app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'upper', 'flood', 'pid')
})
afterAll(async () => {
  await program?.[Symbol.asyncDispose]()
  await mesh?.[Symbol.asyncDispose]()
})

test('a call goes from app to daemon to daemon to app', async () => {
  const info = await app.callWithInfo('upper', ['hello 世界'])
  expect(info).toMatchObject({
    result: 'HELLO 世界',
    provider: { name: 'provider', peerId: mesh.provider.peerId },
    path: 'direct',
    attempts: 1,
  })
})

describe('streams', () => {
  async function* numbers(): AsyncGenerator<number> {
    for (let n = 1; n <= 50; n += 1) yield n
  }
  test('of results', async () => {
    const seen: unknown[] = []
    for await (const n of app.stream('count', [30])) seen.push(n)
    expect(seen).toEqual([...Array(30).keys()].map((n) => n + 1))
  })
  test('of inputs', async () => {
    expect(await app.call('sum', [], { input: numbers() })).toBe(1275)
  })
  test('of both', async () => {
    const seen: unknown[] = []
    for await (const n of app.stream('double.each', [], { input: numbers() })) seen.push(n)
    expect(seen).toEqual([...Array(50).keys()].map((n) => (n + 1) * 2))
  })
})

describe('memory stays bounded', () => {
  test('with an argument of 64 MiB', async () => {
    using memory = watchMemory(mesh.caller.pid, mesh.provider.pid)
    expect(await app.call('length', [new Uint8Array(64 * MIB)])).toBe(64 * MIB)
    const growth = memory.stop()
    console.log(`64 MiB argument: caller +${mib(growth[0])} MiB, provider +${mib(growth[1])} MiB`)
    for (const bytes of growth) expect(bytes).toBeLessThan(MAX_GROWTH_BYTES)
  })

  test('with a streamed result of 1 GiB', async () => {
    using memory = watchMemory(mesh.caller.pid, mesh.provider.pid)
    let received = 0
    const startedAt = performance.now()
    for await (const chunk of app.stream('flood', [1024], { timeoutMs: 110_000 })) {
      received += (chunk as Uint8Array).length
    }
    const growth = memory.stop()
    const rate = received / MIB / ((performance.now() - startedAt) / 1000)
    console.log(
      `1 GiB stream: ${rate.toFixed(0)} MiB/s, caller +${mib(growth[0])}, provider +${mib(growth[1])} MiB`,
    )
    expect(received).toBe(1024 * MIB)
    for (const bytes of growth) expect(bytes).toBeLessThan(MAX_GROWTH_BYTES)
  })

  test('when the reader of a stream is slow', async () => {
    using memory = watchMemory(mesh.caller.pid, mesh.provider.pid)
    let chunks = 0
    for await (const chunk of app.stream('flood', [256], { timeoutMs: 60_000 })) {
      chunks += (chunk as Uint8Array).length === MIB ? 1 : 0
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(chunks).toBe(256)
    for (const bytes of memory.stop()) expect(bytes).toBeLessThan(MAX_GROWTH_BYTES)
  })
})

describe('the function learns', () => {
  test('of a cancel', async () => {
    const controller = new AbortController()
    const call = app.call('watch.cancel', ['c1'], { signal: controller.signal })
    await eventually(() => program.effects().includes('start c1'))
    controller.abort()
    await expect(call).rejects.toMatchObject({ reason: 'cancelled' })
    await eventually(() => program.effects().includes('abort c1'))
  })
  test('of a deadline', async () => {
    const call = app.call('watch.cancel', ['d1'], { timeoutMs: 300 })
    await expect(call).rejects.toMatchObject({ reason: 'deadline_exceeded', code: 'deadline_exceeded' })
    await eventually(() => program.effects().includes('abort d1'))
  })
})

test('the limits of a function are enforced', async () => {
  const calls = [600, 1, 1].map(async (ms) => app.call('one.at.a.time', [ms]))
  const results = await Promise.allSettled(calls)
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused).toHaveLength(1)
  expect(refused[0]?.reason).toMatchObject({
    reason: 'queue_full',
    code: 'resource_exhausted',
    retryable: true,
  })
})

test('two thousand calls at once are all answered', async () => {
  const texts = Array.from({ length: 2_000 }, (_, n) => `text ${n}`)
  const answers: unknown[] = []
  for (let at = 0; at < texts.length; at += 500) {
    answers.push(
      ...(await Promise.all(texts.slice(at, at + 500).map(async (text) => app.call('upper', [text])))),
    )
  }
  expect(answers).toEqual(texts.map((text) => text.toUpperCase()))
})

function mib(bytes: number | undefined): string {
  return ((bytes ?? 0) / MIB).toFixed(0)
}
