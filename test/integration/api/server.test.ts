import { stat, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiServer } from '../../../src/api/server.ts'
import { serve, temporaryFolder, type TestServer, TOKEN } from './support/serve.ts'
import { createStubNode, untilAborted } from './support/stub-node.ts'

let api: TestServer
let port: number
beforeAll(async () => {
  api = await serve({ maxBodyBytes: 1024 * 1024, headersTimeoutMs: 400, requestTimeoutMs: 800 })
  port = Number(new URL(api.url).port)
})
afterAll(() => api[Symbol.asyncDispose]())

/** Writes `text` and returns all that comes until the connection ends. */
function raw(text: string, onSocket?: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (data) => (answer += data.toString()))
    socket.on('error', reject).on('close', () => resolve(answer))
    socket.write(text)
    onSocket?.(socket)
  })
}
const head = (first: string, headers: Record<string, string | undefined> = {}): string => {
  const all = { Host: `127.0.0.1:${port}`, Authorization: `Bearer ${TOKEN}`, Connection: 'close', ...headers }
  const lines = Object.entries(all).flatMap(([name, text]) =>
    text === undefined ? [] : [`${name}: ${text}`],
  )
  return `${first} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}
// What the guard refuses, slow clients and crowds: test/e2e/hostile-api.test.ts.
describe('a real connection', () => {
  test('may offer an upgrade to HTTP/2, which is left alone', async () => {
    const headers = { Upgrade: 'h2c', Connection: 'Upgrade' }
    // On a connection that goes on, Node would no longer tell of a malformed request.
    expect(await raw(head('GET /v1/status', headers))).toMatch(
      /^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n/,
    )
  })

  test('curl waits for permission before it sends a long body', async () => {
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': '2000000',
      Expect: '100-continue',
    }
    const answer = await raw(head('POST /v1/calls', headers))
    expect(answer).toMatch(/^HTTP\/1\.1 413/)
    const body = JSON.stringify({ fn: 'none' })
    const honest = { ...headers, 'Content-Length': String(body.length) }
    const accepted = await raw(head('POST /v1/calls', honest), (socket) => {
      socket.once('data', () => socket.write(body))
    })
    expect(accepted).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 404/)
  })

  test('an upgrade with a body is overlooked, and guarded as everything else', async () => {
    const upgrade = { Connection: 'Upgrade', Upgrade: 'easynet' }
    for (const body of [{ 'Content-Length': '2' }, { 'Transfer-Encoding': 'chunked' }]) {
      const bytes = 'Content-Length' in body ? '{}' : '0\r\n\r\n'
      const attach = (more: Record<string, string | undefined>): Promise<string> =>
        raw(head('GET /v1/attach', { ...upgrade, ...body, ...more }) + bytes)
      expect(await attach({ Authorization: undefined })).toMatch(/^HTTP\/1\.1 401/)
      expect(await attach({ Origin: 'http://evil.test' })).toMatch(/^HTTP\/1\.1 403/)
      expect(await attach({})).toMatch(/^HTTP\/1\.1 404/)
    }
  })

  test('an expectation that HTTP does not know is not waited for', async () => {
    expect(await raw(head('GET /v1/status', { Expect: 'a miracle' }))).toMatch(/^HTTP\/1\.1 200/)
  })

  test('a sender whose body is not read is told that its connection ends', async () => {
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': '2000000',
      Connection: 'keep-alive',
    }
    expect(await raw(`${head('POST /v1/calls', headers)}{`)).toMatch(
      /^HTTP\/1\.1 413 [^]*\r\nConnection: close\r\n/,
    )
  })

  test('a WebSocket that is malformed is refused as everything else', async () => {
    for (const wrong of [
      { 'Sec-WebSocket-Key': 'x' },
      { 'Sec-WebSocket-Version': '1' },
      { 'Sec-WebSocket-Protocol': '' },
    ]) {
      const headers = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...wrong,
      }
      const answer = await raw(head('GET /v1/attach', headers))
      expect(answer).toMatch(/^HTTP\/1\.1 400/)
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toMatchObject({
        error: { reason: 'invalid_request' },
      })
    }
  })

  test('headers and bodies that do not arrive in time are cut', async () => {
    const startedAt = performance.now()
    expect(await raw('GET /v1/status HTTP/1.1\r\nHost: 127')).toContain('HTTP/1.1 408')
    const headers = { 'Content-Type': 'application/json', 'Content-Length': '100' }
    expect(await raw(`${head('POST /v1/calls', headers)}{`)).toContain('HTTP/1.1 408')
    expect(performance.now() - startedAt).toBeLessThan(8_000)
  })
})

describe('listening', () => {
  test.each(['0.0.0.0', '::', '192.168.1.2', 'example.org', ''])('on %j is refused', async (host) => {
    const creating = createApiServer({ node: createStubNode(), token: 'x' }, { listen: [{ host, port: 0 }] })
    await expect(creating).rejects.toMatchObject({ reason: 'unsafe_bind' })
  })

  test('on a taken port fails, or takes the next one', async () => {
    const listen = [{ host: '127.0.0.1', port }]
    await expect(serve({ listen })).rejects.toMatchObject({ reason: 'already_running' })
    await using other = await serve({ listen: [{ host: 'localhost', port, orNextFree: true }] })
    expect(Number(new URL(other.url).port)).not.toBe(port)
    expect((await other.request('/v1/status')).status).toBe(200)
  })

  test('gives up what it has when a later address fails', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => blocker.once('listening', resolve))
    const { port: taken } = blocker.address() as { port: number }
    const addresses = [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: taken },
    ]
    await expect(serve({ listen: addresses })).rejects.toMatchObject({ reason: 'already_running' })
    blocker.close()
  })

  test('on the Unix socket is for this user only and needs the token', async () => {
    await using folder = await temporaryFolder()
    const socketPath = join(folder.path, 'api.sock')
    await using one = await serve({ socketPath })
    expect(one.server.socketPath).toBe(socketPath)
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
    const status = (headers: Record<string, string>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const request = httpRequest({ socketPath, path: '/v1/status', headers }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
        request.on('error', reject).end()
      })
    expect(await status({ host: 'localhost', authorization: `Bearer ${TOKEN}` })).toBe(200)
    expect(await status({ host: '127.0.0.1:1', authorization: `Bearer ${TOKEN}` })).toBe(200)
    expect(await status({ host: 'localhost' })).toBe(401)
    expect(await status({ host: 'evil.test', authorization: `Bearer ${TOKEN}` })).toBe(421)
    await expect(serve({ socketPath })).rejects.toMatchObject({ reason: 'already_running' })
  })

  test('replaces a stale socket only for the holder of the lock', async () => {
    await using folder = await temporaryFolder()
    const socketPath = join(folder.path, 'api.sock')
    await writeFile(socketPath, '')
    await expect(serve({ socketPath })).rejects.toMatchObject({ reason: 'already_running' })
    await using api = await serve({ socketPath, replaceSocket: true })
    expect(api.server.socketPath).toBe(socketPath)
  })

  test('leaves out a socket whose path is too long', async () => {
    await using api = await serve({ socketPath: `/tmp/${'x'.repeat(120)}` })
    expect(api.server.socketPath).toBeUndefined()
  })
})

describe('closing', () => {
  test('ends readers of events at once and running calls after the grace period', async () => {
    const one = await serve({ closeGraceMs: 1_500 })
    one.node.builtIn['forever'] = (_, __, signal) => untilAborted(signal)
    const events = await one.request('/v1/events')
    const call = one.post('/v1/calls', { fn: 'forever' }).catch(() => 'cut')
    await expect.poll(() => one.node.calls().length).toBe(1)
    const startedAt = performance.now()
    const closed = one.server.close()
    expect(await events.text()).toContain(': easynet')
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    await closed
    expect(await call).toBe('cut')
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    await expect(fetch(`${one.url}/v1/health`)).rejects.toThrow()
  })

  test('lets a short call finish', async () => {
    const one = await serve()
    one.node.builtIn['short'] = () => new Promise((resolve) => setTimeout(() => resolve('done'), 100))
    const call = one.post('/v1/calls', { fn: 'short' })
    await expect.poll(() => one.node.calls().length).toBe(1)
    await one.server.close()
    expect(await (await call).json()).toMatchObject({ result: 'done' })
  })
})
