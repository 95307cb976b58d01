import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, onTestFinished } from 'vitest'
import type { Invocation } from '../../../src/model/call.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import { attach, type AttachClient, type Message } from './support/attach-client.ts'
import { serve, temporaryFolder, type TestServer } from './support/serve.ts'
import { untilAborted } from './support/stub-node.ts'
import { createDeadline } from '../../../src/util/signals.ts'

let api: TestServer
beforeEach(async () => {
  api = await serve()
})
afterEach(() => api[Symbol.asyncDispose]())

const paramsOf = (message: Message): Message => message['params'] as Message
const of = (client: AttachClient, method: string): Message[] =>
  client.seen.filter((message) => message['method'] === method)
const next = async (client: AttachClient, method: string, index = 0): Promise<Message> => {
  await expect.poll(() => of(client, method).length, { interval: 5 }).toBeGreaterThan(index)
  return of(client, method)[index] as Message
}
const rejection = (promise: Promise<unknown>): Promise<Record<string, unknown>> =>
  promise.then(
    () => ({}),
    (error: unknown) => error as Record<string, unknown>,
  )

/** A program that offers `name` and leaves it to the test to answer. */
async function provider(name: string, options: Message = {}): Promise<AttachClient> {
  const program = await attach(api)
  await program.request('register', { functions: [{ name, ...options }] })
  return program
}
/** A deadline that only its parent ends. */
function unlimited(parent?: AbortSignal) {
  const deadline = createDeadline(60_000, parent)
  onTestFinished(() => deadline[Symbol.dispose]())
  return deadline
}
function invocation(fn: string, more: Partial<Invocation> = {}): Invocation {
  const caller = { peerId: 'far', name: 'away' }
  return {
    id: 'i-1',
    fn,
    args: [],
    kwargs: {},
    caller,
    timeoutMs: 1_000.4,
    deadline: unlimited(),
    ...more,
  }
}
const quiet = { chunk() {}, progress() {}, log() {} }
function runOn(
  fn: string,
  more: Partial<Invocation> = {},
  sink: Parameters<NonNullable<ReturnType<typeof runner>>['run']>[1] = quiet,
) {
  const run = runner(fn)?.run(invocation(fn, more), sink)
  if (run === undefined) throw new Error(`nobody offers ${fn}`)
  // A test that looks at it later must not be ended by it before.
  run.catch(() => {})
  return run
}
function runner(fn: string) {
  return api.node.runners.get(fn)
}

const canBeKilled = (fn: string): boolean => 'kill' in (runner(fn) ?? {})

describe('requests of a program', () => {
  test('hello, status and functions', async () => {
    const program = await attach(api)
    expect(await program.request('hello', { client: 'test/1', group: 'g', later: true })).toMatchObject({
      protocol: 1,
      peerId: '12D3KooWStub',
      name: 'stub',
      version: '0.1.0',
      group: 'g',
    })
    expect(await program.request('status', {})).toMatchObject({ schema: 'status/1' })
    await program.request('register', { functions: [{ name: 'a' }, { name: 'b', version: '2.0.0' }] })
    const { functions } = await program.request('functions', { scope: 'local', q: 'b' })
    expect(functions).toMatchObject([{ name: 'b', version: '2.0.0' }])
  })

  test('over the Unix socket', async () => {
    await using folder = await temporaryFolder()
    const socketPath = join(folder.path, 'api.sock')
    await using one = await serve({ socketPath })
    const program = await attach({ ...one, socketPath })
    expect(await program.request('hello', {})).toMatchObject({ protocol: 1 })
    await expect(attach({ ...one, socketPath, token: 'wrong' })).rejects.toThrow('401')
  })

  test('register all functions or none, and unregister', async () => {
    const program = await provider('a')
    const other = await attach(api)
    const twice = await rejection(other.request('register', { functions: [{ name: 'b' }, { name: 'a' }] }))
    expect(twice).toMatchObject({ reason: 'function_exists' })
    expect(runner('b')).toBeUndefined()
    const wrong = await rejection(other.request('register', { functions: [{ name: 'c', timeout: 1 }] }))
    expect(wrong).toMatchObject({ reason: 'invalid_request', rpc: { code: -32602 } })
    expect(wrong['message']).toContain('functions[0]: Unrecognized key: "timeout"')
    const foreign = await rejection(other.request('unregister', { names: ['a'] }))
    expect(foreign).toMatchObject({ reason: 'unknown_function' })
    await program.request('unregister', { names: ['a'] })
    expect(runner('a')).toBeUndefined()
  })

  test('call, with bytes beside the line, and look up the outcome', async () => {
    api.node.builtIn['echo'] = ({ args, kwargs }) => [...args, kwargs]
    const program = await attach(api)
    const args = [{ $bin: 1 }, { $esc: { $bytes: 1 } }, 'x']
    const answer = await program.request('call', { fn: 'echo', args, kwargs: { k: { $bin: 0 } } }, [
      Buffer.from('first'),
      Buffer.from('second'),
    ])
    expect(answer).toMatchObject({
      result: [{ $bin: 0 }, { $esc: { $bytes: 1 } }, 'x', { k: { $bin: 1 } }],
      attempts: 1,
      cost: '0',
    })
    expect(answer.blobs.map(String)).toEqual(['second', 'first'])
    const accepted = of(program, 'accepted').map(paramsOf)
    expect(accepted).toEqual([{ call: 1, id: answer['id'] }])
    const outcome = await program.request('outcome', { id: answer['id'] })
    expect(outcome).toMatchObject({ state: 'done', result: answer['result'] })
    expect(outcome.blobs.map(String)).toEqual(['second', 'first'])
    expect(await rejection(program.request('outcome', { id: 'x' }))).toMatchObject({ reason: 'unknown_call' })
  })

  test('call under an id of its own', async () => {
    api.node.builtIn['echo'] = ({ args }) => args
    const program = await attach(api)
    const id = '01a20e36-fb64-7bc4-8dab-0fabb8a2c7ad'
    expect(await program.request('call', { id, fn: 'echo' })).toMatchObject({ id, result: [] })
    expect(of(program, 'accepted').map(paramsOf)).toEqual([{ call: 1, id }])
  })

  test('call a streaming function with and without its chunks', async () => {
    api.node.builtIn['count'] = async (_, sink) => {
      for (let n = 0; n < 3; n += 1) await sink.chunk(n)
      sink.progress(50)
      sink.log({ level: 'warn', message: 'w' })
      return null
    }
    const program = await attach(api)
    expect(await program.request('call', { fn: 'count' })).toMatchObject({ result: [0, 1, 2] })
    expect(of(program, 'chunk')).toEqual([])
    expect(await program.request('call', { fn: 'count', stream: true })).toMatchObject({ result: null })
    expect(program.seen.map(({ method }) => method)).toEqual([
      'accepted',
      'progress',
      'log',
      'accepted',
      'chunk',
      'chunk',
      'chunk',
      'progress',
      'log',
    ])
    expect(of(program, 'chunk').map(paramsOf)).toEqual([0, 1, 2].map((value) => ({ call: 2, value })))
    expect(of(program, 'log').map(paramsOf)).toEqual(
      [1, 2].map((call) => ({ call, level: 'warn', message: 'w' })),
    )
  })

  test('cancel a call', async () => {
    api.node.builtIn['forever'] = (_, __, signal) => untilAborted(signal)
    const program = await attach(api)
    const call = rejection(program.request('call', { fn: 'forever' }))
    await next(program, 'accepted')
    program.send({ method: 'cancel', params: { call: 1 } })
    expect(await call).toMatchObject({ reason: 'cancelled', code: 'cancelled', rpc: { code: -32000 } })
    program.send({ method: 'cancel', params: { call: 1 } })
    expect(await program.request('status', {})).toMatchObject({ calls: { running: 0 } })
  })

  test('that are wrong are refused, and the connection stays', async () => {
    const program = await attach(api)
    const wrong: [string, Message, string, number][] = [
      ['nonsense', {}, 'not_implemented', -32601],
      ['toString', {}, 'not_implemented', -32601],
      ['call', {}, 'invalid_request', -32602],
      ['call', { fn: 'x', args: 1 }, 'invalid_request', -32602],
      ['call', { fn: 'x', arg: [] }, 'invalid_request', -32602],
      ['call', { fn: 'x', id: 'mine' }, 'invalid_request', -32602],
      ['call', { fn: 'x', args: [{ $bin: 'x' }] }, 'invalid_value', -32000],
      ['call', { fn: 'none' }, 'no_provider', -32000],
      ['register', { functions: [{ name: '1' }] }, 'invalid_request', -32602],
      ['supervise', {}, 'invalid_request', -32602],
      ['status', { x: 1 }, 'invalid_request', -32602],
    ]
    for (const [method, params, reason, code] of wrong) {
      expect(await rejection(program.request(method, params)), method).toMatchObject({
        reason,
        rpc: { code },
      })
    }
    const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    program.socket.write(
      `{"id":"d","method":"register","params":{"functions":[{"name":"d","input":${deep}}]}}\n`,
    )
    program.socket.write(`{"id":"e","method":"call","params":{"fn":"d","args":[${deep}]}}\n`)
    await expect.poll(() => program.seen.filter(({ error }) => error !== undefined).length).toBe(2)
    const errors = program.seen.flatMap(({ error }) => (error === undefined ? [] : [error as Message]))
    expect(errors.map(({ data }) => data)).toMatchObject([
      { reason: 'invalid_value' },
      { reason: 'invalid_value' },
    ])
    expect(await program.request('status', {})).toMatchObject({ schema: 'status/1' })
  })
})

describe('functions of a program', () => {
  test('get the call as the caller made it', async () => {
    const program = await provider('f')
    const running = runOn('f', { args: ['a', new Uint8Array([1])], kwargs: { k: null } })
    const invoke = await next(program, 'invoke')
    expect(paramsOf(invoke)).toEqual({
      id: 'i-1',
      fn: 'f',
      args: ['a', { $bin: 0 }],
      kwargs: { k: null },
      caller: { peerId: 'far', name: 'away' },
      timeoutMs: 1_000,
      input: false,
      traceparent: '00-i1--01',
    })
    expect(invoke['blobs']).toEqual([Buffer.from([1])])
    program.send({ id: invoke['id'], result: { value: { $bin: 0 } } }, [Buffer.from('ok')])
    expect(await running).toEqual(Buffer.from('ok'))
  })

  test('send progress, logs and chunks before the result', async () => {
    const program = await provider('f')
    const seen: unknown[] = []
    const running = runOn(
      'f',
      {},
      {
        async chunk(value) {
          await delay(1)
          seen.push(['chunk', value])
        },
        progress: (value) => void seen.push(['progress', value]),
        log: (entry) => void seen.push(['log', entry]),
      },
    )
    const { id } = await next(program, 'invoke')
    program.send({ method: 'progress', params: { call: id, value: { p: 1 } } })
    program.send({ method: 'log', params: { call: id, level: 'loud', message: 5 } })
    for (const value of [1, 2, 3]) program.send({ method: 'chunk', params: { call: id, value } })
    program.send({ id, result: { value: 'end' } })
    expect(await running).toBe('end')
    expect(seen).toEqual([
      ['progress', { p: 1 }],
      ['log', { level: 'info', message: '' }],
      ['chunk', 1],
      ['chunk', 2],
      ['chunk', 3],
    ])
  })

  test('fail with their own error', async () => {
    const program = await provider('f')
    const errors: [Message, Message][] = [
      [
        {
          code: -32000,
          message: 'm',
          data: { reason: 'function_error', message: 'm', details: { name: 'ValueError' } },
        },
        { reason: 'function_error', message: 'm', details: { name: 'ValueError' } },
      ],
      [
        { code: -32603, message: 'other library' },
        { reason: 'function_error', message: 'other library' },
      ],
      // A reason that is not the function's to give, such as that of a nested call.
      [
        { code: 1, message: 'x', data: { reason: 'queue_full', message: 'elsewhere' } },
        {
          reason: 'function_error',
          message: 'elsewhere',
          details: { reason: 'queue_full' },
          retryable: false,
        },
      ],
      [{ code: 1, message: 'x', data: { reason: 'made up' } }, { reason: 'function_error' }],
    ]
    for (const [index, [error, expected]] of errors.entries()) {
      const running = rejection(runOn('f'))
      const { id } = await next(program, 'invoke', index)
      program.send({ id, error })
      expect(await running).toMatchObject(expected)
    }
  })

  test('are told of a cancel with its reason, and may still answer', async () => {
    const program = await provider('f')
    for (const [index, reason] of (['cancelled', 'deadline_exceeded', 'interrupted'] as const).entries()) {
      const controller = new AbortController()
      const running = runOn('f', { deadline: unlimited(controller.signal) })
      const { id } = await next(program, 'invoke', index)
      controller.abort(new EasyNetError(reason, 'x'))
      expect(paramsOf(await next(program, 'cancel', index))).toEqual({ call: id, reason })
      program.send({ id, result: { value: 'late' } })
      expect(await running).toBe('late')
    }
  })

  test('are interrupted and withdrawn when the program dies', async () => {
    const program = await provider('f')
    const running = rejection(runOn('f'))
    const runner = api.node.runners.get('f')
    await next(program, 'invoke')
    program.socket.destroy()
    expect(await running).toMatchObject({ reason: 'interrupted', retryable: false })
    expect(api.node.runners.has('f')).toBe(false)
    const later = rejection(runner?.run(invocation('f'), quiet) ?? Promise.resolve())
    expect(await later).toMatchObject({ reason: 'interrupted', retryable: true })
  })

  test('run into their own program: calls and invocations count on their own', async () => {
    const program = await provider('double', { stream: true })
    const served = (async () => {
      const invoke = await next(program, 'invoke')
      for (let n = 0; n < 40; n += 1) {
        while (n - acknowledged(program, 'chunk') >= 16) await delay(1)
        program.send({ method: 'chunk', params: { call: invoke['id'], value: n } })
      }
      program.send({ id: invoke['id'], result: { value: null } })
    })()
    let chunks = 0
    program.onMessage = ({ method }) => {
      if (method !== 'chunk') return
      chunks += 1
      if (chunks % 8 === 0) program.send({ method: 'ack', params: { call: 2, of: 'chunk', n: chunks } })
    }
    expect(await program.request('call', { fn: 'double', stream: true })).toMatchObject({ result: null })
    await served
    expect(chunks).toBe(40)
  })
})

const acknowledged = (client: AttachClient, what: string): number =>
  of(client, 'ack')
    .map(paramsOf)
    .filter((params) => params['of'] === what)
    .reduce((most, params) => Math.max(most, params['n'] as number), 0)

describe('the death of a program', () => {
  test('cancels its streaming calls and lets the others run on', async () => {
    const signals: AbortSignal[] = []
    api.node.builtIn['slow'] = async (_, sink, signal) => {
      signals.push(signal)
      await delay(150)
      await sink.chunk('more')
      return null
    }
    const program = await attach(api)
    program.request('call', { fn: 'slow', stream: true }).catch(() => {})
    program.request('call', { fn: 'slow' }).catch(() => {})
    await expect.poll(() => signals.length).toBe(2)
    program.socket.end()
    await expect.poll(() => signals[0]?.aborted).toBe(true)
    await expect.poll(() => api.node.calls()[0]).toMatchObject({ state: 'done' })
    expect(signals[1]?.aborted).toBe(false)
  })

  test('is noticed by its silence', async () => {
    await using strict = await serve({ heartbeatMs: 100, silenceMs: 600 })
    const program = await attach(strict)
    const talking = await attach(strict)
    const timer = setInterval(() => talking.send({ method: 'heartbeat', params: {} }), 30)
    await program.closed
    expect(of(program, 'heartbeat').length).toBeGreaterThan(1)
    await delay(200)
    expect(talking.socket.destroyed).toBe(false)
    clearInterval(timer)
  })

  test('frees the group of a supervisor', async () => {
    const [supervisor, second, worker] = [await attach(api), await attach(api), await provider('f')]
    await worker.request('hello', { group: 'g' })
    expect(canBeKilled('f')).toBe(false)
    await supervisor.request('supervise', { group: 'g' })
    expect(await rejection(second.request('supervise', { group: 'g' }))).toMatchObject({
      reason: 'invalid_request',
    })
    runner('f')?.kill?.('deadline_exceeded')
    expect(paramsOf(await next(supervisor, 'kill'))).toEqual({ group: 'g', reason: 'deadline_exceeded' })
    supervisor.socket.destroy()
    await expect.poll(() => canBeKilled('f')).toBe(false)
    await second.request('supervise', { group: 'g' })
    expect(canBeKilled('f')).toBe(true)
  })
})

test('closing waits for what runs, refuses what is new, and ends the rest', async () => {
  const program = await provider('f')
  const idle = await attach(api)
  const running = runOn('f')
  const { id } = await next(program, 'invoke')
  const closed = api.server.close()
  await idle.closed
  expect(await rejection(program.request('status', {}))).toMatchObject({ reason: 'draining' })
  program.send({ id, result: { value: 1 } })
  expect(await running).toBe(1)
  await program.closed
  await closed
})
