import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { fn, type Mesh } from '../../../src/sdk/index.ts'
import { eventually } from '../support/eventually.ts'
import { type Device, startDevice } from './support/device.ts'

describe.each([
  ['the Unix socket', true],
  ['TCP', false],
])('over %s', (_, withSocket) => {
  async function twoPrograms(): Promise<{ device: Device; provider: Mesh; caller: Mesh } & AsyncDisposable> {
    const device = await startDevice(withSocket)
    const provider = await device.connect()
    const caller = await device.connect()
    return {
      device,
      provider,
      caller,
      async [Symbol.asyncDispose]() {
        await Promise.all([provider.close(), caller.close()])
        await device[Symbol.asyncDispose]()
      },
    }
  }

  test('a function of one program is called by another, by name and by definition', async () => {
    await using programs = await twoPrograms()
    const { provider, caller } = programs
    const area = fn('area', {
      input: z.object({ w: z.number(), h: z.number() }),
      run: ({ w, h }) => w * h,
    })
    await provider.register('text.upper', (text: string) => text.toUpperCase())
    await provider.register(area)
    expect(await caller.call('text.upper', ['hi'])).toBe('HI')
    expect((await caller.call(area, [{ w: 2, h: 3 }])).toFixed()).toBe('6')
    expect(await caller.call('area', [], { kwargs: { w: 2, h: 4 } })).toBe(8)
    expect(await caller.fn<(text: string) => string>('text.upper')('typed')).toBe('TYPED')
    expect(await caller.callWithInfo('text.upper', ['x'])).toMatchObject({
      id: expect.any(String) as string,
      result: 'X',
      provider: { name: 'stub' },
      path: 'local',
      attempts: 1,
    })
    await expect(caller.call('area', [{ w: 'x' }])).rejects.toMatchObject({
      reason: 'invalid_request',
      details: { issues: [{ path: 'w' }, { path: 'h' }] },
    })
  })

  test('bytes of any size arrive as they were, also many at once', async () => {
    await using programs = await twoPrograms()
    const { provider, caller } = programs
    await provider.register('echo', (value: unknown) => value)
    const sizes = [0, 1, 65_535, 65_536, 3_000_000]
    const results = await Promise.all(
      sizes.map((size) =>
        caller.call<{ data: Uint8Array }>('echo', [{ data: new Uint8Array(size).fill(size % 251), size }]),
      ),
    )
    expect(results.map(({ data }) => data.length)).toEqual(sizes)
    expect(results.every(({ data }, i) => data.every((byte) => byte === (sizes[i] ?? 0) % 251))).toBe(true)
  })

  test('a thrown error reaches the caller with name and message only', async () => {
    await using programs = await twoPrograms()
    await programs.provider.register('fail', () => {
      throw new RangeError('too far')
    })
    await expect(programs.caller.call('fail')).rejects.toMatchObject({
      code: 'unknown',
      reason: 'function_error',
      message: 'too far',
      details: { name: 'RangeError' },
    })
    await programs.provider.register('unsendable', () => new Map())
    await expect(programs.caller.call('unsendable')).rejects.toMatchObject({ reason: 'function_error' })
  })

  test('a stream goes no further than 16 items ahead of its reader', async () => {
    await using programs = await twoPrograms()
    const { provider, caller } = programs
    let produced = 0
    await provider.register('count', function* (n: number) {
      for (let i = 0; i < n; i++) {
        produced += 1
        yield i
      }
      return 'end'
    })
    const stream = caller.stream<number>('count', [200])
    const seen: number[] = []
    let most = 0
    for (let step = await stream.next(); ; step = await stream.next()) {
      if (step.done === true) {
        expect(step.value.result).toBe('end')
        break
      }
      seen.push(step.value)
      if (seen.length % 50 === 0) await sleep(20)
      most = Math.max(most, produced - seen.length)
    }
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i))
    // Two windows, program to daemon and daemon to program, and what is in the hands of each.
    expect(most).toBeLessThan(60)
  })

  test('leaving a stream cancels the function', async () => {
    await using programs = await twoPrograms()
    let stopped: unknown
    await programs.provider.register('endless', async function* (ctx: { signal: AbortSignal }) {
      try {
        for (let i = 0; ; i++) {
          yield i
          await sleep(1, undefined, { signal: ctx.signal })
        }
      } finally {
        stopped = ctx.signal.reason
      }
    })
    for await (const item of programs.caller.stream('endless')) if (item === 3) break
    await eventually(() => stopped)
    expect(stopped).toMatchObject({ reason: 'cancelled' })
  })

  test('without stream the chunks come as one list', async () => {
    await using programs = await twoPrograms()
    await programs.provider.register('abc', function* () {
      yield* ['a', 'b', 'c']
    })
    expect(await programs.caller.call('abc')).toEqual(['a', 'b', 'c'])
  })

  test('inputs are streamed to the function, with back-pressure to their source', async () => {
    await using programs = await twoPrograms()
    const { provider, caller } = programs
    let produced = 0
    let consumed = 0
    let most = 0
    const sum = fn('sum', {
      clientStream: true,
      async run(_: unknown, ctx) {
        let total = 0
        for await (const item of ctx.input) {
          consumed += 1
          most = Math.max(most, produced - consumed)
          if (consumed % 50 === 0) await sleep(10)
          total += item as number
        }
        return total
      },
    })
    async function* source(): AsyncGenerator<number> {
      for (; produced < 300;) yield produced++
    }
    await provider.register(sum)
    expect(await caller.call('sum', [], { input: source() })).toBe((299 * 300) / 2)
    expect(most).toBeLessThan(80)
  })

  test('a source of inputs that fails is an error in the function', async () => {
    await using programs = await twoPrograms()
    await programs.provider.register(
      fn('drain', {
        clientStream: true,
        async run(_: unknown, ctx) {
          for await (const _item of ctx.input);
        },
      }),
    )
    async function* broken(): AsyncGenerator<number> {
      yield 1
      throw new Error('disk on fire')
    }
    await expect(programs.caller.call('drain', [], { input: broken() })).rejects.toMatchObject({
      reason: 'function_error',
      message: 'disk on fire',
    })
  })

  test('cancel and deadline reach the running function', async () => {
    await using programs = await twoPrograms()
    const reasons: unknown[] = []
    await programs.provider.register(
      fn('wait', {
        async run(_: unknown, ctx) {
          expect(ctx.remainingMs()).toBeGreaterThan(0)
          await sleep(60_000, undefined, { signal: ctx.signal }).finally(() => {
            reasons.push((ctx.signal.reason as { reason: string }).reason)
          })
        },
      }),
    )
    const controller = new AbortController()
    const cancelled = programs.caller.call('wait', [], { signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await expect(cancelled).rejects.toMatchObject({ reason: 'cancelled' })
    await eventually(() => reasons.includes('cancelled'))
    await expect(programs.caller.call('wait', [], { timeoutMs: 100 })).rejects.toMatchObject({
      reason: 'deadline_exceeded',
    })
    await eventually(() => reasons.length === 2)
  })

  test('progress and log reach a caller that streams', async () => {
    await using programs = await twoPrograms()
    await programs.provider.register(
      'work',
      (ctx: { progress(v: unknown): void; log(m: string, l?: string): void }) => {
        ctx.progress({ done: 0.5 })
        ctx.log('half way')
        ctx.log('careful', 'warn')
        return 1
      },
    )
    const seen: unknown[] = []
    const note = (value: unknown): void => void seen.push(value)
    const stream = programs.caller.stream('work', [], { onProgress: note, onLog: note, onAccepted: note })
    expect(await stream.next()).toMatchObject({ done: true, value: { result: 1 } })
    expect(seen).toMatchObject([
      expect.any(String) as string,
      { done: 0.5 },
      { level: 'info', message: 'half way' },
      { level: 'warn', message: 'careful' },
    ])
  })

  test('names are unique, and free again after unregister', async () => {
    await using programs = await twoPrograms()
    const { provider, caller } = programs
    await provider.register('one', () => 1)
    await expect(provider.register('one', () => 2)).rejects.toMatchObject({ reason: 'function_exists' })
    await expect(caller.register('one', () => 2)).rejects.toMatchObject({ reason: 'function_exists' })
    await expect(provider.register('not a name', () => 2)).rejects.toMatchObject({
      reason: 'invalid_request',
    })
    expect((await caller.functions()).map(({ name }) => name)).toEqual(['one'])
    await provider.unregister('one')
    await caller.register('one', () => 2)
    expect(await provider.call('one')).toBe(2)
  })

  test('many calls share one connection', async () => {
    await using programs = await twoPrograms()
    await programs.provider.register('inc', (n: number) => n + 1)
    const calls = Array.from({ length: 500 }, (_, i) => programs.caller.call('inc', [i]))
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
  })

  test('status, and what became of a call', async () => {
    await using programs = await twoPrograms()
    const { caller, provider } = programs
    await provider.register('one', () => 1)
    const { id } = await caller.callWithInfo('one')
    expect(await caller.outcome(id)).toMatchObject({ id, state: 'done', result: 1 })
    await expect(caller.outcome('nope')).rejects.toMatchObject({ reason: 'unknown_call' })
    expect(await caller.status()).toMatchObject({ schema: 'status/1', functions: 1 })
  })
})

test('a wrong token and a dead daemon are told apart', async () => {
  await using device = await startDevice(false)
  const { url } = device.server()
  await expect(device.connect({ url, token: 'wrong' })).rejects.toMatchObject({ reason: 'unauthenticated' })
  await device.stop()
  await expect(device.connect()).rejects.toMatchObject({ reason: 'daemon_unreachable', hint: 'easynet up' })
})
