import { connect as connectTcp, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, type Mesh } from '../../src/sdk/index.ts'
import { type Daemon, startDaemon } from './support/daemon.ts'
import { type HonestClient, startHonestClient } from './support/honest-client.ts'
import { residentBytes } from './support/mesh.ts'

// The control API of a real daemon against web pages, strangers and clients that misbehave, with the
// limits that are shipped, while an honest client calls a function all the time.

let daemon: Daemon
let program: Mesh
let honest: HonestClient
let port: number
/** What the function got that the hostile requests try to call. */
const ran: unknown[] = []

beforeAll(async () => {
  daemon = await startDaemon()
  port = Number(new URL(daemon.url).port)
  program = await connect({ home: daemon.home })
  await program.register('text.upper', (text: string) => text.toUpperCase())
  await program.register('target', (text: unknown) => ran.push(text))
  honest = startHonestClient(daemon, { fn: 'text.upper', args: ['hi'] }, 'HI')
})
afterAll(async () => {
  await honest?.stop()
  await program?.close()
  await daemon?.[Symbol.asyncDispose]()
})

type Headers = Record<string, string | undefined>

/** A request as an honest client sends it, with other headers; those that are undefined are left out. */
function head(first: string, headers: Headers): string {
  const all: Headers = { Host: '127.0.0.1:PORT', Authorization: 'Bearer TOKEN', ...headers }
  const lines = Object.entries(all).flatMap(([name, text]) => (text === undefined ? [] : `${name}: ${text}`))
  const text = `${first} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
  return text.replaceAll('PORT', String(port)).replaceAll('TOKEN', daemon.token)
}

interface Answer {
  status: number
  head: string
  reason?: string
}

/** Connects, lets `send` write, and returns what came until the daemon closed the connection. */
function exchange(send: (socket: Socket) => void): Promise<Answer> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connectTcp(port, '127.0.0.1', () => send(socket))
    // A daemon that refuses a sender in the middle of its body resets the connection after the answer.
    socket.on('error', () => socket.destroy())
    socket.on('data', (data) => {
      text += data.toString()
      // A connection that was taken over goes on; nothing more is said on it by itself.
      if (text.startsWith('HTTP/1.1 101')) socket.destroy()
    })
    socket.on('close', () => resolve(readAnswer(text)))
  })
}

function readAnswer(text: string): Answer {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  const status = Number(head.split(' ', 2)[1] ?? 0)
  const isError = status >= 400
  return {
    status,
    head: head.toLowerCase(),
    ...(isError ? { reason: (JSON.parse(body) as { error: { reason: string } }).error.reason } : {}),
  }
}

/** Writes a part at once and then one byte after the other until the connection is closed. */
function trickle(start: string, rest: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(start)
    let at = 0
    const timer = setInterval(() => {
      if (socket.writable) socket.write(rest[at++ % rest.length] ?? 'x')
    }, 500)
    socket.once('close', () => clearInterval(timer))
  }
}

const MIB = 1024 * 1024
const THOUSAND = Array.from({ length: 1_000 }, (_, n) => n)
const CALL = JSON.stringify({ fn: 'target', args: ['hostile'] })
const JSON_TYPE = 'application/json'
const FORM = 'application/x-www-form-urlencoded'
const PAGE = 'http://evil.test'
const EASYNET = { Connection: 'Upgrade', Upgrade: 'easynet' }
const WEBSOCKET = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol': 'easynet.v1',
}
const WRONG_PROTOCOL = { 'Sec-WebSocket-Protocol': 'easynet.v1, bearer.wrong' }
const PREFLIGHT = { 'Access-Control-Request-Method': 'POST' }

/** What each status says as a reason. */
const REASON_OF: Record<number, string> = {
  400: 'invalid_request',
  401: 'unauthenticated',
  403: 'foreign_origin',
  404: 'unknown_route',
  413: 'too_large',
  415: 'unsupported_media_type',
  421: 'foreign_host',
  431: 'invalid_request',
}

describe('a request that must not get through', () => {
  const GET = 'GET /v1/status'
  const POST = 'POST /v1/calls'
  const STOP = 'POST /v1/shutdown'
  const ATTACH = 'GET /v1/attach'
  const NO_TOKEN = { Authorization: undefined }
  const AS_JSON = { 'Content-Type': JSON_TYPE }
  // TOKEN and PORT stand for those of the daemon.
  const cases: [what: string, status: number, first: string, headers: Headers][] = [
    ['no token', 401, GET, NO_TOKEN],
    ['wrong token', 401, GET, { Authorization: `Bearer ${'0'.repeat(64)}` }],
    ['token and more', 401, GET, { Authorization: 'Bearer TOKEN0' }],
    ['token as Basic', 401, GET, { Authorization: 'Basic TOKEN' }],
    ['token in a cookie', 401, GET, { ...NO_TOKEN, Cookie: 'token=TOKEN' }],
    ['token in the query', 401, `${GET}?token=TOKEN&access_token=TOKEN`, NO_TOKEN],
    ['call without a token', 401, POST, { ...NO_TOKEN, ...AS_JSON }],
    ['stop without a token', 401, STOP, NO_TOKEN],
    ['numbers without a token', 401, 'GET /metrics', NO_TOKEN],
    ['unknown route without a token', 401, 'GET /v1/nothing', NO_TOKEN],

    ['foreign Host', 421, GET, { Host: 'evil.test:PORT' }],
    ['no Host', 421, GET, { Host: undefined }],
    ['Host without port', 421, GET, { Host: '127.0.0.1' }],
    ['Host with another port', 421, GET, { Host: '127.0.0.1:80' }],
    ['Host 0.0.0.0', 421, GET, { Host: '0.0.0.0:PORT' }],
    ['Host of a rebound name', 421, POST, { Host: '127.0.0.1.evil.test:PORT', ...AS_JSON }],
    ['health of a foreign Host', 421, 'GET /v1/health', { Host: 'evil.test' }],
    ['absolute target', 400, `GET ${PAGE}/v1/status`, {}],

    ['Origin null', 403, GET, { Origin: 'null' }],
    ['Origin of a page', 403, GET, { Origin: PAGE }],
    ['Origin of another local port', 403, GET, { Origin: 'http://127.0.0.1:80' }],
    ['Referer of a page', 403, GET, { Referer: `${PAGE}/page` }],
    ['cross-site GET', 403, GET, { 'Sec-Fetch-Site': 'cross-site' }],
    ['same-site GET', 403, GET, { 'Sec-Fetch-Site': 'same-site' }],
    ['health for a page', 403, 'GET /v1/health', { Origin: PAGE }],
    ['preflight', 403, 'OPTIONS /v1/calls', { ...NO_TOKEN, Origin: PAGE, ...PREFLIGHT }],
    ['stop by a page', 403, STOP, { ...NO_TOKEN, Origin: PAGE }],
    ['text POST of a page', 403, POST, { ...NO_TOKEN, Origin: PAGE, 'Content-Type': 'text/plain' }],
    ['form POST of a page', 403, POST, { ...NO_TOKEN, Origin: PAGE, 'Content-Type': FORM }],

    ['text POST', 415, POST, { 'Content-Type': 'text/plain' }],
    ['form POST', 415, POST, { 'Content-Type': FORM }],
    ['POST without a type', 415, POST, {}],
    ['text to a route without a body', 415, STOP, { 'Content-Type': 'text/plain' }],

    ['raw upgrade without a token', 401, ATTACH, { ...EASYNET, ...NO_TOKEN }],
    ['raw upgrade with a foreign Origin', 403, ATTACH, { ...EASYNET, Origin: PAGE }],
    ['raw upgrade of a foreign Host', 421, ATTACH, { ...EASYNET, Host: 'evil.test' }],
    ['WebSocket with a foreign Origin', 403, ATTACH, { ...WEBSOCKET, Origin: PAGE }],
    ['WebSocket with Origin null', 403, ATTACH, { ...WEBSOCKET, Origin: 'null' }],
    ['WebSocket without a token', 401, ATTACH, { ...WEBSOCKET, ...NO_TOKEN }],
    ['WebSocket with a wrong token', 401, ATTACH, { ...WEBSOCKET, ...NO_TOKEN, ...WRONG_PROTOCOL }],
    ['WebSocket of a foreign Host', 421, ATTACH, { ...WEBSOCKET, Host: 'evil.test' }],
    ['raw upgrade elsewhere', 404, GET, EASYNET],
    ['raw upgrade by POST', 404, 'POST /v1/attach', { ...EASYNET, ...AS_JSON }],
    ['WebSocket elsewhere', 404, 'GET /v1/events', WEBSOCKET],

    ['oversize header', 431, GET, { 'X-Long': 'x'.repeat(9_000) }],
    ['oversize target', 431, `GET /v1/${'x'.repeat(9_000)}`, {}],
    ['1,000 headers', 431, GET, Object.fromEntries(THOUSAND.map((n) => [`X-Header-${n}`, 'x']))],
    ['oversize body, by its length', 413, POST, { ...AS_JSON, 'Content-Length': String(17 * MIB) }],
    ['two lengths', 400, POST, { ...AS_JSON, 'content-length': '2' }],
    ['length and chunks', 400, POST, { ...AS_JSON, 'Transfer-Encoding': 'chunked' }],
    ['no HTTP', 400, 'nonsense', {}],
  ]
  test.each(cases)('%s is %d', async (_, status, first, headers) => {
    const isPost = first.startsWith('POST')
    const extra = isPost ? { 'Content-Length': String(CALL.length) } : {}
    const request = head(first, { Connection: 'close', ...extra, ...headers })
    const answer = await exchange((socket) => socket.write(request + (isPost ? CALL : '')))
    expect(answer).toMatchObject({ status, reason: REASON_OF[status] })
    expect(answer.head).toContain('x-content-type-options: nosniff')
    expect(answer.head).not.toContain('access-control')
  })

  test('none of them ran the function or stopped the daemon', async () => {
    expect(ran).toEqual([])
    expect((await daemon.fetch('/v1/status')).status).toBe(200)
  })

  test('the same requests without the one wrong thing do get through', async () => {
    const request = head('POST /v1/calls', {
      Connection: 'close',
      'Content-Type': JSON_TYPE,
      'Content-Length': String(CALL.length),
    })
    expect(await exchange((socket) => socket.write(request + CALL))).toMatchObject({ status: 200 })
    expect(ran).toEqual(['hostile'])
    for (const upgrade of [EASYNET, WEBSOCKET]) {
      const answer = await exchange((socket) => socket.write(head('GET /v1/attach', upgrade)))
      expect(answer).toMatchObject({ status: 101 })
    }
  })
})

test('an endless body without a length is refused while it comes, and is not kept', async () => {
  const before = residentBytes(daemon.pid)
  const part = `100000\r\n${'x'.repeat(0x100000)}\r\n`
  let mebibytes = 0
  const answer = await exchange((socket) => {
    socket.write(head('POST /v1/calls', { 'Content-Type': JSON_TYPE, 'Transfer-Encoding': 'chunked' }))
    const pour = (): void => {
      while (socket.writable && mebibytes < 1_000 && socket.write(part)) mebibytes += 1
    }
    socket.on('drain', pour)
    pour()
  })
  expect(answer).toMatchObject({ status: 413, reason: 'too_large' })
  expect(mebibytes).toBeLessThan(1_000)
  expect(residentBytes(daemon.pid) - before).toBeLessThan(128 * MIB)
})

test('slow headers and slow bodies are cut after 10 and 30 seconds', async () => {
  const started = performance.now()
  const timed = async (send: (socket: Socket) => void): Promise<Answer & { seconds: number }> => {
    const answer = await exchange(send)
    return { ...answer, seconds: (performance.now() - started) / 1_000 }
  }
  const body = head('POST /v1/calls', { 'Content-Type': JSON_TYPE, 'Content-Length': '1000' })
  const chunks = head('POST /v1/calls', { 'Content-Type': JSON_TYPE, 'Transfer-Encoding': 'chunked' })
  const many = <T>(make: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 50 }, make))
  const [silent, headers, ...bodies] = await Promise.all([
    many(() => timed(() => undefined)),
    many(() => timed(trickle('GET /v1/status HTTP/1.1\r\nX-Slow: ', 'x'))),
    many(() => timed(trickle(body, ' '))),
    many(() => timed(trickle(chunks, '1\r\n \r\n'))),
  ])
  for (const answer of [...silent, ...headers]) {
    expect(answer).toMatchObject({ status: 408, reason: 'invalid_request' })
    expect(answer.seconds).toBeGreaterThan(9)
    expect(answer.seconds).toBeLessThan(20)
  }
  for (const answer of bodies.flat()) {
    expect(answer).toMatchObject({ status: 408, reason: 'invalid_request' })
    expect(answer.seconds).toBeGreaterThan(29)
    expect(answer.seconds).toBeLessThan(40)
  }
})

describe('1,000 connections', () => {
  test.each([
    ['that say nothing', ''],
    ['in the middle of their headers', 'GET /v1/status HTTP/1.1\r\nHost: 127'],
  ])('%s: the oldest make room, and an honest client is served', async (_, text) => {
    let closed = 0
    const sockets = Array.from({ length: 1_000 }, () => {
      const socket = connectTcp(port, '127.0.0.1', () => socket.write(text))
      socket.resume().on('error', () => undefined)
      return socket.on('close', () => (closed += 1))
    })
    try {
      // 512 is the limit; the program and the honest client hold some of them.
      await expect.poll(() => closed, { timeout: 20_000 }).toBeGreaterThanOrEqual(1_000 - 512)
      expect(closed).toBeLessThan(1_000)
      const served = honest.served()
      await expect.poll(() => honest.served(), { timeout: 20_000 }).toBeGreaterThan(served + 20)
      expect(await newcomer()).toBe(200)
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })

  /** Status that a client gets which has just connected. */
  async function newcomer(): Promise<number> {
    const request = head('GET /v1/status', { Connection: 'close' })
    return (await exchange((socket) => socket.write(request))).status
  }
})

test('the honest client was served all the time, and the program stayed attached', async () => {
  await honest.stop()
  expect(honest.failures()).toEqual([])
  expect(honest.served()).toBeGreaterThan(100)
  expect(await program.call('text.upper', ['still here'])).toBe('STILL HERE')
  expect(ran).toEqual(['hostile'])
  expect(daemon.stderr()).not.toMatch(/"level":"(?:error|fatal)"/)
  expect(daemon.stderr()).not.toContain(daemon.token)
})
