import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attach } from './support/attach-client.ts'
import { serve, type TestServer } from './support/serve.ts'
import { eventsOf } from './support/sse.ts'

let api: TestServer
beforeAll(async () => {
  api = await serve()
})
afterAll(() => api[Symbol.asyncDispose]())

const json = async (response: Response | Promise<Response>): Promise<[number, unknown]> => {
  const answer = await response
  return [answer.status, await answer.json()]
}
const refusedWith = (reason: string): unknown =>
  expect.objectContaining({ error: expect.objectContaining({ reason, retryable: false }) as unknown })

test('health needs no token', async () => {
  expect(await json(fetch(`${api.url}/v1/health`))).toEqual([200, { ok: true }])
})

test('status', async () => {
  expect(await json(api.request('/v1/status'))).toEqual([200, api.node.status()])
})

test('every answer has security headers and none for foreign pages', async () => {
  for (const path of ['/v1/status', '/v1/health', '/nowhere', '/v1/calls/unknown']) {
    const { headers } = await api.request(path)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  }
})

describe('peers', () => {
  test('list', async () => {
    expect(await json(api.request('/v1/peers'))).toEqual([200, { peers: api.node.peers() }])
  })
  test('ping', async () => {
    const answer = await json(api.request('/v1/peers/stub/ping', { method: 'POST' }))
    expect(answer).toEqual([200, expect.objectContaining({ rttMs: 1, name: 'stub' })])
    const unknown = await json(api.request('/v1/peers/nobody/ping', { method: 'POST' }))
    expect(unknown).toEqual([404, refusedWith('unknown_peer')])
  })
  test('block', async () => {
    const answer = await json(api.post('/v1/peers/stub/block', { blocked: true }))
    expect(answer).toEqual([200, expect.objectContaining({ blocked: true })])
    const withoutBody = await json(api.request('/v1/peers/stub/block', { method: 'POST' }))
    expect(withoutBody).toEqual([400, refusedWith('invalid_request')])
  })
})

test('functions, one by one and all', async () => {
  const program = await attach(api)
  await program.request('register', { functions: [{ name: 'text.upper' }, { name: '文字.大写' }] })
  const all = (await (await api.request('/v1/functions')).json()) as { functions: unknown[] }
  expect(all.functions).toHaveLength(2)
  const some = (await (await api.request('/v1/functions?scope=local&q=upper')).json()) as {
    functions: unknown[]
  }
  expect(some.functions).toHaveLength(1)
  const one = await json(api.request(`/v1/functions/${encodeURIComponent('文字.大写')}`))
  expect(one).toEqual([200, expect.objectContaining({ name: '文字.大写' })])
  expect(await json(api.request('/v1/functions/far.away'))).toEqual([200, expect.anything()])
  expect(await json(api.request('/v1/functions/none'))).toEqual([404, refusedWith('unknown_function')])
  expect(await json(api.request('/v1/functions?scope=moon'))).toEqual([400, refusedWith('invalid_request')])
  expect(await json(api.request('/v1/functions?scop=mesh'))).toEqual([400, refusedWith('invalid_request')])
  program.socket.destroy()
  await expect.poll(() => api.node.runners.size).toBe(0)
})

test('shutdown answers first', async () => {
  expect(await json(api.request('/v1/shutdown', { method: 'POST' }))).toEqual([202, { ok: true }])
  await expect.poll(() => api.node.shutdowns()).toBe(1)
})

test('events come as they happen and resume after the last one seen', async () => {
  const reader = new AbortController()
  const live = eventsOf(await api.request('/v1/events', { signal: reader.signal }))
  api.node.emit('peer:connect')
  api.node.emit('peer:disconnect')
  expect((await live.next()).value).toMatchObject({ id: '1', event: 'peer:connect', data: { id: 1 } })
  expect((await live.next()).value).toMatchObject({ id: '2', event: 'peer:disconnect' })
  reader.abort()
  const resumed = eventsOf(await api.request('/v1/events', { headers: { 'last-event-id': '1' } }))
  expect((await resumed.next()).value).toMatchObject({ id: '2' })
  await resumed.return()
  const wrong = await json(api.request('/v1/events', { headers: { 'last-event-id': 'x' } }))
  expect(wrong).toEqual([400, refusedWith('invalid_request')])
})

test('HEAD of the events says what GET would, and keeps nobody waiting for them', async () => {
  let followers = 0
  const follow = api.node.events.follow.bind(api.node.events)
  api.node.events.follow = async function* (lastId, signal) {
    followers += 1
    try {
      yield* follow(lastId, signal)
    } finally {
      followers -= 1
    }
  }
  for (let n = 0; n < 3; n += 1) {
    const answer = await api.request('/v1/events', { method: 'HEAD' })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ])
  }
  api.node.events.follow = follow
  expect(followers).toBe(0)
})

test('an unknown route is 404 with a hint', async () => {
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/v1'],
    ['PUT', '/v1/calls'],
    ['GET', '/v1/attach'],
    ['GET', '/v1/%ff'],
  ] as const) {
    const [status, body] = await json(api.request(path, { method }))
    expect([status, body], path).toEqual([404, refusedWith('unknown_route')])
  }
})
