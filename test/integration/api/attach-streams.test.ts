import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, onTestFinished } from 'vitest'
import type { CallSink, Invocation } from '../../../src/model/call.ts'
import type { Value } from '../../../src/model/value.ts'
import { attach, type AttachClient, type Message } from './support/attach-client.ts'
import { serve, type TestServer } from './support/serve.ts'
import { createDeadline } from '../../../src/util/signals.ts'

const MIB = 1024 * 1024

let api: TestServer
beforeEach(async () => {
  api = await serve()
})
afterEach(() => api[Symbol.asyncDispose]())

const paramsOf = (message: Message): Message => message['params'] as Message

function run(fn: string, sink: Partial<CallSink>, more: Partial<Invocation> = {}): Promise<Value> {
  const deadline = createDeadline(60_000)
  onTestFinished(() => deadline[Symbol.dispose]())
  const invocation: Invocation = {
    id: 'i',
    fn,
    args: [],
    kwargs: {},
    caller: { peerId: 'p', name: 'n' },
    timeoutMs: 60_000,
    deadline,
    ...more,
  }
  const runner = api.node.runners.get(fn)
  if (runner === undefined) throw new Error(`nobody offers ${fn}`)
  return runner.run(invocation, { chunk() {}, progress() {}, log() {}, ...sink })
}

/** A program that streams `count` chunks of `bytes` and waits for acknowledgements as it has to. */
async function streamer(name: string, count: number, bytes: number): Promise<AttachClient> {
  const program = await attach(api)
  await program.request('register', { functions: [{ name, stream: true }] })
  const blob = Buffer.alloc(bytes, 1)
  const acks = new Map<unknown, number>()
  let wake = (): void => {}
  program.onMessage = (message) => {
    program.seen.length = 0
    const params = paramsOf(message)
    if (message['method'] === 'ack') {
      acks.set(params['call'], params['n'] as number)
      wake()
    }
    if (message['method'] === 'invoke') void stream(message['id'])
  }
  const stream = async (id: unknown): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      while (n - (acks.get(id) ?? 0) >= 16) await new Promise<void>((resolve) => (wake = resolve))
      if (!program.send({ method: 'chunk', params: { call: id, value: { $bin: 0 } } }, [blob]))
        await program.drained()
    }
    program.send({ id, result: { value: null } })
  }
  return program
}

/** Waits for a count and sees that it stays there. */
async function holdsAt(count: () => number, expected: number): Promise<void> {
  await expect.poll(count, { interval: 5, timeout: 5_000 }).toBe(expected)
  await delay(30)
  expect(count()).toBe(expected)
}

function peakMemory(): { stop(): number } {
  const before = process.memoryUsage().rss
  let peak = before
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 10)
  return {
    stop() {
      clearInterval(timer)
      return peak - before
    },
  }
}

describe('chunks of a function', () => {
  test('wait for a slow caller', async () => {
    const program = await attach(api)
    await program.request('register', { functions: [{ name: 's', stream: true }] })
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let taken = 0
    const running = run('s', {
      async chunk() {
        taken += 1
        await held
      },
    })
    await expect.poll(() => program.seen.length).toBe(1)
    for (let n = 0; n < 16; n += 1) program.send({ method: 'chunk', params: { call: 1, value: n } })
    await holdsAt(() => taken, 1)
    expect(program.seen.filter(({ method }) => method === 'ack')).toEqual([])
    release()
    await expect
      .poll(() => program.seen.filter(({ method }) => method === 'ack').map(paramsOf))
      .toEqual([
        { call: 1, of: 'chunk', n: 8 },
        { call: 1, of: 'chunk', n: 16 },
      ])
    program.send({ id: 1, result: { value: null } })
    expect(await running).toBeNull()
  })

  test('beyond the window end the connection', async () => {
    const program = await attach(api)
    await program.request('register', { functions: [{ name: 's', stream: true }] })
    const running = run('s', { chunk: () => new Promise(() => {}) })
    const rejected = expect(running).rejects.toMatchObject({ reason: 'interrupted' })
    await expect.poll(() => program.seen.length).toBe(1)
    for (let n = 0; n < 17; n += 1) program.send({ method: 'chunk', params: { call: 1, value: n } })
    await rejected
    await program.closed
    expect(program.seen.at(-1)).toMatchObject({ method: 'error', params: { reason: 'protocol_violation' } })
  })

  test('that nobody wants any more are dropped, and the function can end', async () => {
    await streamer('s', 100, 10)
    let taken = 0
    const running = run('s', {
      chunk() {
        taken += 1
        throw new Error('the caller is gone')
      },
    })
    expect(await running).toBeNull()
    expect(taken).toBe(1)
  })

  test('of 1 GiB in all pass in bounded memory', async () => {
    await streamer('big', 1_024, MIB)
    const memory = peakMemory()
    let bytes = 0
    await run('big', {
      async chunk(value) {
        bytes += (value as Uint8Array).length
        if (bytes % (64 * MIB) === 0) await delay(5)
      },
    })
    expect(bytes).toBe(1_024 * MIB)
    expect(memory.stop()).toBeLessThan(400 * MIB)
  })
})

describe('chunks for a program', () => {
  test('wait for its acknowledgements', async () => {
    let sent = 0
    api.node.builtIn['count'] = async (_, sink) => {
      for (; sent < 40; sent += 1) await sink.chunk(sent)
      return 'end'
    }
    const program = await attach(api)
    const call = program.request('call', { fn: 'count', stream: true })
    await holdsAt(() => sent, 16)
    program.send({ method: 'ack', params: { call: 1, of: 'chunk', n: 10 } })
    await holdsAt(() => sent, 26)
    program.send({ method: 'ack', params: { call: 1, of: 'chunk', n: 26 } })
    expect(await call).toMatchObject({ result: 'end' })
  })

  test('of 1 GiB in all pass in bounded memory, also to a slow reader', async () => {
    const chunk = new Uint8Array(MIB)
    api.node.builtIn['big'] = async (_, sink) => {
      for (let n = 0; n < 1_024; n += 1) await sink.chunk(chunk.slice())
      return null
    }
    const program = await attach(api)
    let bytes = 0
    let count = 0
    program.onMessage = ({ method, blobs }) => {
      program.seen.length = 0
      if (method !== 'chunk') return
      bytes += blobs[0]?.length ?? 0
      count += 1
      if (count % 8 === 0) program.send({ method: 'ack', params: { call: 1, of: 'chunk', n: count } })
      if (count % 100 !== 0) return
      program.socket.pause()
      setTimeout(() => program.socket.resume(), 20)
    }
    const memory = peakMemory()
    await program.request('call', { fn: 'big', stream: true })
    expect(bytes).toBe(1_024 * MIB)
    expect(memory.stop()).toBeLessThan(400 * MIB)
  })

  test('end with the connection', async () => {
    let failure: unknown
    api.node.builtIn['count'] = async (_, sink) => {
      try {
        for (let n = 0; ; n += 1) await sink.chunk(n)
      } catch (error) {
        failure = error
        throw error
      }
    }
    const program = await attach(api)
    program.request('call', { fn: 'count', stream: true }).catch(() => {})
    await expect.poll(() => program.seen.length).toBe(17)
    program.socket.destroy()
    await expect.poll(() => failure).toMatchObject({ reason: 'cancelled' })
  })
})

describe('inputs', () => {
  test('flow from a program to a function, as fast as it takes them', async () => {
    const got: Value[] = []
    api.node.builtIn['sum'] = async ({ input = [] as unknown as AsyncIterable<Value> }) => {
      for await (const item of input) {
        got.push(item)
        await delay(1)
      }
      return got.length
    }
    const program = await attach(api)
    const call = program.request('call', { fn: 'sum', input: true })
    for (let n = 0; n < 40; n += 1) {
      while (n - lastAck(program) >= 16) await delay(1)
      program.send({ method: 'input', params: { call: 1, value: n } })
    }
    program.send({ method: 'inputEnd', params: { call: 1 } })
    expect(await call).toMatchObject({ result: 40 })
    expect(got).toEqual(Array.from({ length: 40 }, (_, n) => n))
  })

  test('of a program can end with an error', async () => {
    api.node.builtIn['sum'] = async ({ input = [] as unknown as AsyncIterable<Value> }) => {
      for await (const _ of input) continue
      return null
    }
    const program = await attach(api)
    const call = program.request('call', { fn: 'sum', input: true })
    program.send({ method: 'input', params: { call: 1, value: 1 } })
    program.send({
      method: 'inputEnd',
      params: { call: 1, error: { reason: 'cancelled', message: 'no more' } },
    })
    await expect(call).rejects.toMatchObject({ reason: 'cancelled', message: 'no more' })
  })

  test('that the function does not want are acknowledged', async () => {
    let end = (): void => {}
    api.node.builtIn['one'] = async ({ input = [] as unknown as AsyncIterable<Value> }) => {
      for await (const _ of input) break
      await new Promise<void>((resolve) => (end = resolve))
      return 'enough'
    }
    const program = await attach(api)
    const call = program.request('call', { fn: 'one', input: true })
    for (let n = 0; n < 64; n += 1) {
      while (n - lastAck(program) >= 16) await delay(1)
      program.send({ method: 'input', params: { call: 1, value: n } })
    }
    end()
    expect(await call).toMatchObject({ result: 'enough' })
  })

  test('flow to the function of a program, as fast as it acknowledges', async () => {
    const program = await attach(api)
    await program.request('register', { functions: [{ name: 'f', clientStream: true }] })
    let made = 0
    const input = (async function* () {
      for (; made < 40; made += 1) yield made
    })()
    const running = run('f', {}, { input })
    const inputs = (): Message[] => program.seen.filter(({ method }) => method === 'input').map(paramsOf)
    await holdsAt(() => inputs().length, 16)
    expect(paramsOf(program.seen[0] ?? {})['input']).toBe(true)
    expect(made).toBeLessThan(18)
    program.send({ method: 'ack', params: { call: 1, of: 'input', n: 16 } })
    await holdsAt(() => inputs().length, 32)
    program.send({ method: 'ack', params: { call: 1, of: 'input', n: 32 } })
    await expect.poll(() => program.seen.at(-1)).toMatchObject({ method: 'inputEnd', params: { call: 1 } })
    expect(inputs().map(({ value }) => value)).toEqual(Array.from({ length: 40 }, (_, n) => n))
    program.send({ id: 1, result: { value: 'ok' } })
    expect(await running).toBe('ok')
  })
})

function lastAck(program: AttachClient): number {
  const acks = program.seen.filter(({ method }) => method === 'ack').map(paramsOf)
  return Math.max(
    0,
    ...acks.filter((params) => params['of'] === 'input').map((params) => params['n'] as number),
  )
}

test('blobs of 64 MiB pass both ways', async () => {
  const program = await attach(api)
  await program.request('register', { functions: [{ name: 'echo' }] })
  program.onMessage = (message) => {
    if (message['method'] !== 'invoke') return
    program.send({ id: message['id'], result: { value: { $bin: 0 } } }, message.blobs)
  }
  const blob = Buffer.alloc(64 * MIB, 'EasyNet')
  const answer = await program.request('call', { fn: 'echo', args: [{ $bin: 0 }] }, [blob])
  expect(Buffer.compare(answer.blobs[0] ?? Buffer.alloc(0), blob)).toBe(0)
})
