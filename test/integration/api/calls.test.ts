import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { serve, type TestServer } from './support/serve.ts'
import { eventsOf } from './support/sse.ts'
import { untilAborted } from './support/stub-node.ts'

let api: TestServer
beforeAll(async () => {
  api = await serve({ requestTimeoutMs: 300, headersTimeoutMs: 200 })
  Object.assign(api.node.builtIn, {
    'text.upper': (request) => (request.args[0] as string).toUpperCase(),
    echo: (request) => [request.args, request.kwargs],
    forever: (_, __, signal) => untilAborted(signal),
    slow: () => new Promise((resolve) => setTimeout(() => resolve('late'), 2_500)),
    count: async (request, sink) => {
      for (let n = 0; n < (request.args[0] as number); n += 1) await sink.chunk(n)
      sink.progress({ done: 1 })
      sink.log({ level: 'info', message: 'counted' })
      return request.args[1] ?? null
    },
    big: async (_, sink) => {
      for (let n = 0; n < 64; n += 1) await sink.chunk('x'.repeat(256 * 1024))
      return null
    },
    fails: () => {
      throw new EasyNetError('function_error', 'division by zero', { details: { name: 'ZeroDivisionError' } })
    },
    breaks: () => {
      throw new TypeError('secret')
    },
  } satisfies TestServer['node']['builtIn'])
})
afterAll(() => api[Symbol.asyncDispose]())

const EVENTS = { accept: 'text/event-stream' }
const call = async (
  body: unknown,
): Promise<{ status: number; id: string | null; body: Record<string, unknown> }> => {
  const response = await api.post('/v1/calls', body)
  const id = response.headers.get('x-easynet-call-id')
  return { status: response.status, id, body: (await response.json()) as Record<string, unknown> }
}
const events = async (body: unknown): Promise<{ event: string; data: unknown }[]> => {
  const all = []
  for await (const event of eventsOf(await api.post('/v1/calls', body, EVENTS))) all.push(event)
  return all
}

describe('a call', () => {
  test('returns its result and who ran it', async () => {
    const { status, id, body } = await call({ fn: 'text.upper', args: ['hi'] })
    expect(status).toBe(200)
    expect(body).toEqual({
      id,
      result: 'HI',
      provider: api.node.peers().map(({ peerId, name }) => ({ peerId, name }))[0],
      path: 'local',
      attempts: 1,
      failed: [],
      durationMs: 1,
      cost: '0',
    })
  })

  test('carries bytes as $bytes, and objects that only look like that', async () => {
    const args = [{ $bytes: 'aGk=' }, { $esc: { $bytes: 'x' } }, { a: [null, 1.5, true] }]
    const { body } = await call({ fn: 'echo', args, kwargs: { b: { $bytes: '' } } })
    expect(body['result']).toEqual([args, { b: { $bytes: '' } }])
  })

  test('collects chunks when the function returned nothing', async () => {
    expect((await call({ fn: 'count', args: [3] })).body['result']).toEqual([0, 1, 2])
    expect((await call({ fn: 'count', args: [3, 'sum'] })).body['result']).toBe('sum')
  })

  test('may take longer than the time to send a request', async () => {
    expect((await call({ fn: 'slow' })).body['result']).toBe('late')
  })

  test('reports the error of the function, and nothing of the inside of the daemon', async () => {
    const failed = await call({ fn: 'fails' })
    expect(failed.status).toBe(500)
    expect(failed.body['error']).toEqual({
      code: 'unknown',
      reason: 'function_error',
      message: 'division by zero',
      retryable: false,
      details: { name: 'ZeroDivisionError' },
    })
    expect(failed.id).toMatch(/./)
    const broken = await call({ fn: 'breaks' })
    expect(broken.status).toBe(500)
    expect(JSON.stringify(broken.body)).not.toContain('secret')
    expect((await call({ fn: 'none' })).status).toBe(404)
  })

  test('is cancelled when the client goes away', async () => {
    for (const headers of [{}, EVENTS]) {
      const client = new AbortController()
      const started = api.node.calls().length
      const request = api.post('/v1/calls', { fn: 'forever' }, headers, client.signal)
      const read = request.then((response) => response.text())
      await expect.poll(() => api.node.calls().length).toBe(started + 1)
      const signal = api.node.lastSignal()
      expect(signal?.aborted).toBe(false)
      client.abort()
      await expect(read).rejects.toThrow()
      await expect.poll(() => signal?.aborted).toBe(true)
    }
  })

  test('can be looked up and cancelled by its id', async () => {
    const response = await api.post('/v1/calls', { fn: 'forever' }, EVENTS)
    const id = response.headers.get('x-easynet-call-id') ?? ''
    const running = (await (await api.request(`/v1/calls/${id}`)).json()) as unknown
    expect(running).toMatchObject({ id, state: 'running', fn: 'forever' })
    expect((await api.request(`/v1/calls/${id}`, { method: 'DELETE' })).status).toBe(204)
    const all = []
    for await (const event of eventsOf(response)) all.push(event)
    expect(all.at(-1)).toMatchObject({ event: 'error', data: { error: { reason: 'cancelled' } } })
    expect((await api.request(`/v1/calls/${id}`, { method: 'DELETE' })).status).toBe(404)
    expect((await api.request('/v1/calls/nothing')).status).toBe(404)
  })

  test('is listed without its result', async () => {
    const { id } = await call({ fn: 'text.upper', args: ['x'] })
    const list = (await (await api.request('/v1/calls')).json()) as { calls: Record<string, unknown>[] }
    expect(list.calls[0]).toMatchObject({ id, state: 'done' })
    expect(list.calls[0]).not.toHaveProperty('result')
    const one = (await (await api.request(`/v1/calls/${id}`)).json()) as unknown
    expect(one).toMatchObject({ result: 'X' })
  })
})

describe('a call with events', () => {
  test('tells everything in order, the result last', async () => {
    const all = await events({ fn: 'count', args: [3, { $bytes: 'aGk=' }] })
    expect(all.map(({ event }) => event)).toEqual([
      'accepted',
      'chunk',
      'chunk',
      'chunk',
      'progress',
      'log',
      'result',
    ])
    expect(all.map(({ data }) => data).slice(1, 6)).toEqual([
      { value: 0 },
      { value: 1 },
      { value: 2 },
      { value: { done: 1 } },
      { level: 'info', message: 'counted' },
    ])
    expect(all.at(-1)?.data).toMatchObject({ result: { $bytes: 'aGk=' }, cost: '0' })
  })

  test('tells an error in band and last', async () => {
    const all = await events({ fn: 'fails' })
    expect(all.map(({ event }) => event)).toEqual(['accepted', 'error'])
    expect(all.at(-1)?.data).toMatchObject({
      error: { reason: 'function_error', message: 'division by zero' },
    })
  })

  test('passes many large chunks', async () => {
    const all = await events({ fn: 'big' })
    expect(all.filter(({ event }) => event === 'chunk')).toHaveLength(64)
  })

  test('holds the function back while nobody reads', async () => {
    let sent = 0
    api.node.builtIn['flood'] = async (_, sink, signal) => {
      while (!signal.aborted && sent < 2_000) {
        await sink.chunk('x'.repeat(64 * 1024))
        sent += 1
      }
      return null
    }
    const client = new AbortController()
    const response = await api.post('/v1/calls', { fn: 'flood' }, EVENTS, client.signal)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(response.status).toBe(200)
    expect(sent).toBeLessThan(500)
    client.abort()
  })
})

describe('a request that is not right', () => {
  const bodies: [string, string][] = [
    ['{', 'not valid JSON'],
    ['', 'not valid JSON'],
    ['[]', 'expected object'],
    ['null', 'expected object'],
    ['{}', 'fn'],
    ['{"fn":""}', 'fn'],
    ['{"fn":1}', 'fn'],
    ['{"fn":"x","args":"y"}', 'args'],
    ['{"fn":"x","arg":[1]}', 'Unrecognized key: "arg"'],
    ['{"fn":"x","timeoutMs":0}', 'timeoutMs'],
    ['{"fn":"x","timeoutMs":1e999}', 'timeoutMs'],
    ['{"fn":"x","maxCost":-1}', 'maxCost'],
    ['{"fn":"x","kwargs":{"$bytes":"aGk="}}', 'kwargs'],
    ['{"fn":"x","args":[{"$bytes":1}]}', '$bytes'],
    ['{"fn":"x","__proto__":{"a":1}}', '__proto__'],
    [`{"fn":"x","args":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'nested deeper'],
    [`{"fn":"x","kwargs":{"a":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}}`, 'nested deeper'],
  ]
  test.each(bodies)('%.60s is 400', async (body, message) => {
    const response = await api.request('/v1/calls', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    const text = await response.text()
    expect([response.status, text]).toEqual([
      400,
      expect.stringContaining(JSON.stringify(message).slice(1, -1)),
    ])
  })

  test('bytes that are no UTF-8 are 400, and not other letters for the function', async () => {
    const started = api.node.calls().length
    const response = await api.request('/v1/calls', {
      method: 'POST',
      body: Buffer.concat([Buffer.from('{"fn":"echo","args":["a'), Buffer.of(0xff), Buffer.from('"]}')]),
      headers: { 'content-type': 'application/json' },
    })
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('UTF-8')])
    expect(api.node.calls().length).toBe(started)
  })
})
