import { describe, expect, test } from 'vitest'
import { createGuard, type GuardedRequest } from '../../../src/api/guard.ts'

const PORT = 7677
const guard = createGuard({ token: 'right', maxBodyBytes: 1_000 })

function request(headers: Record<string, string>, more: Partial<GuardedRequest> = {}): GuardedRequest {
  const honest = { host: `127.0.0.1:${PORT}`, authorization: 'Bearer right' }
  return { method: 'GET', url: '/v1/status', headers: { ...honest, ...headers }, ...more }
}
const refusal = (headers: Record<string, string>, more?: Partial<GuardedRequest>): string | undefined =>
  guard(request(headers, more), PORT)?.reason
const POST = { method: 'POST', url: '/v1/calls' }

describe('Host', () => {
  test.each(['127.0.0.1:7677', 'localhost:7677', '[::1]:7677', 'LocalHost:7677'])('%s is ours', (host) => {
    expect(refusal({ host })).toBeUndefined()
  })
  test.each([
    'evil.test:7677',
    'evil.test',
    '127.0.0.1',
    'localhost',
    '127.0.0.1:80',
    '0.0.0.0:7677',
    '127.0.0.1:7677.evil.test',
    '127.0.0.1:7677@evil.test',
    'localhost.evil.test:7677',
    '[::1]',
    '',
  ])('%j is foreign', (host) => {
    expect(refusal({ host })).toBe('foreign_host')
  })
  test('is needed for the health check too', () => {
    expect(refusal({ host: 'evil.test' }, { url: '/v1/health' })).toBe('foreign_host')
  })
  test('needs no port on the Unix socket, but has to be ours', () => {
    expect(guard(request({ host: 'localhost' }), undefined)).toBeUndefined()
    expect(guard(request({ host: '127.0.0.1:1' }), undefined)).toBeUndefined()
    expect(guard(request({ host: 'evil.test' }), undefined)?.reason).toBe('foreign_host')
  })
  test('cannot be circumvented by an absolute target', () => {
    expect(refusal({}, { url: 'http://evil.test/v1/status' })).toBe('invalid_request')
  })
})

describe('Origin', () => {
  test.each([
    { origin: 'http://evil.test' },
    { origin: 'null' },
    { origin: 'https://127.0.0.1:7677' },
    { origin: 'http://127.0.0.1:7678' },
    { referer: 'http://evil.test/page' },
    { referer: 'http://127.0.0.1:7677@evil.test/' },
    { referer: 'http://127.0.0.1:76770/' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('%j is foreign', (headers) => {
    expect(refusal(headers)).toBe('foreign_origin')
  })
  test.each([
    { origin: 'http://127.0.0.1:7677' },
    { referer: 'http://127.0.0.1:7677/page' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-origin' },
  ])('%j is ours', (headers) => {
    expect(refusal(headers)).toBeUndefined()
  })
  test('is looked at before the token, so that a page learns nothing', () => {
    expect(refusal({ origin: 'http://evil.test', authorization: 'Bearer wrong' })).toBe('foreign_origin')
  })
  test('of a preflight is refused', () => {
    const preflight = { origin: 'http://evil.test', 'access-control-request-method': 'POST' }
    expect(refusal(preflight, { method: 'OPTIONS', url: '/v1/calls' })).toBe('foreign_origin')
  })
})

describe('token', () => {
  test.each([
    '',
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    'Bearer right2',
    'Basic right',
    'right',
    'Bearer right x',
  ])('%j is refused', (authorization) => {
    expect(refusal({ authorization })).toBe('unauthenticated')
  })
  test('in the query is not accepted', () => {
    const { authorization: _, ...headers } = request({}).headers
    const withQuery = { method: 'GET', url: '/v1/status?token=right&access_token=right', headers }
    expect(guard(withQuery, PORT)?.reason).toBe('unauthenticated')
  })
  test.each(['/v1/health', '/v1/health?x=1'])('is not needed for GET %s', (url) => {
    expect(refusal({ authorization: '' }, { url })).toBeUndefined()
  })
  test.each(['/v1/health/', '/v1/healthy', '/v1/health/../status', '//v1/health', '/v1/status?/v1/health'])(
    'is needed for %s',
    (url) => {
      expect(refusal({ authorization: '' }, { url })).toBe('unauthenticated')
    },
  )
  test('is needed for POST /v1/health', () => {
    expect(refusal({ authorization: '' }, { method: 'POST', url: '/v1/health' })).toBe('unauthenticated')
  })
  test('may be a sub-protocol of a WebSocket, and of nothing else', () => {
    const protocols = { 'sec-websocket-protocol': 'easynet.v1, bearer.right' }
    const { authorization: _, ...headers } = request(protocols).headers
    const ask = (more: Record<string, string>): string | undefined =>
      guard({ method: 'GET', url: '/v1/attach', headers: { ...headers, ...more } }, PORT)?.reason
    expect(ask({ upgrade: 'websocket' })).toBeUndefined()
    expect(ask({})).toBe('unauthenticated')
    expect(ask({ upgrade: 'easynet' })).toBe('unauthenticated')
    const wrong = { upgrade: 'websocket', 'sec-websocket-protocol': 'easynet.v1, bearer.wrong' }
    expect(ask(wrong)).toBe('unauthenticated')
    expect(ask({ upgrade: 'websocket', 'sec-websocket-protocol': 'bearer.right' })).toBe('unauthenticated')
  })
})

describe('body', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    '',
    'application/jsonp',
  ])('of type %j is refused', (type) => {
    expect(refusal({ 'content-type': type, 'content-length': '2' }, POST)).toBe('unsupported_media_type')
  })
  test.each(['application/json', 'Application/JSON; charset=utf-8'])('of type %j is accepted', (type) => {
    expect(refusal({ 'content-type': type, 'content-length': '2' }, POST)).toBeUndefined()
  })
  test('in chunks needs a type as well', () => {
    expect(refusal({ 'transfer-encoding': 'chunked' }, POST)).toBe('unsupported_media_type')
  })
  test('beyond the limit is refused by its length', () => {
    const headers = { 'content-type': 'application/json', 'content-length': '1001' }
    expect(refusal(headers, POST)).toBe('too_large')
  })
  test('is not needed', () => {
    expect(refusal({}, { method: 'POST', url: '/v1/shutdown' })).toBeUndefined()
    expect(refusal({}, { method: 'DELETE', url: '/v1/calls/1' })).toBeUndefined()
  })
})
