import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Value } from '../../../src/model/value.ts'
import { serve, type TestServer, TOKEN } from './support/serve.ts'
import { createDeadline } from '../../../src/util/signals.ts'

let api: TestServer
beforeAll(async () => {
  api = await serve()
  api.node.builtIn['echo'] = ({ args }) => args[0] ?? null
  api.node.builtIn['count'] = async (_, sink) => {
    for (let n = 0; n < 3; n += 1) await sink.chunk(new Uint8Array([n]))
    return null
  }
})
afterAll(() => api[Symbol.asyncDispose]())

type Message = Record<string, unknown> | Uint8Array

/** The built-in WebSocket, as a browser has it. */
async function open(token = TOKEN): Promise<{ ws: WebSocket; messages: Message[]; closed: Promise<number> }> {
  const ws = new WebSocket(`${api.url.replace('http', 'ws')}/v1/attach`, ['easynet.v1', `bearer.${token}`])
  ws.binaryType = 'arraybuffer'
  const messages: Message[] = []
  ws.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
    messages.push(typeof data === 'string' ? (JSON.parse(data) as Message) : new Uint8Array(data))
  })
  const closed = new Promise<number>((resolve) => {
    ws.addEventListener('close', ({ code }) => resolve(code))
  })
  await new Promise((resolve, reject) => {
    ws.addEventListener('open', resolve)
    ws.addEventListener('error', () => reject(new Error('refused')))
  })
  return { ws, messages, closed }
}
const send = (ws: WebSocket, message: object): void => ws.send(JSON.stringify(message))

test('answers, and speaks the sub-protocol without the token in it', async () => {
  const { ws, messages } = await open()
  expect(ws.protocol).toBe('easynet.v1')
  send(ws, { id: 1, method: 'hello', params: {} })
  await expect.poll(() => messages[0]).toMatchObject({ id: 1, result: { protocol: 1 } })
  ws.close()
})

test('refuses a wrong token', async () => {
  await expect(open('wrong')).rejects.toThrow('refused')
})

test('passes bytes as binary messages, both ways', async () => {
  const { ws, messages } = await open()
  send(ws, { id: 1, method: 'call', params: { fn: 'echo', args: [[{ $bin: 0 }, { $bin: 1 }]] }, bin: [3, 0] })
  ws.send(new Uint8Array([1, 2, 3]))
  ws.send(new Uint8Array(0))
  await expect.poll(() => messages.length).toBe(4)
  expect(messages[1]).toMatchObject({ id: 1, result: { result: [{ $bin: 0 }, { $bin: 1 }] }, bin: [3, 0] })
  expect(messages.slice(2)).toEqual([new Uint8Array([1, 2, 3]), new Uint8Array(0)])
  ws.close()
})

test('streams chunks', async () => {
  const { ws, messages } = await open()
  send(ws, { id: 'c', method: 'call', params: { fn: 'count', stream: true } })
  await expect.poll(() => messages.length).toBe(8)
  expect(messages.filter((message) => message instanceof Uint8Array)).toEqual(
    [0, 1, 2].map((n) => new Uint8Array([n])),
  )
  expect(messages.at(-1)).toMatchObject({ id: 'c', result: { result: null } })
  ws.close()
})

test('passes 64 MiB', async () => {
  const { ws, messages } = await open()
  const blob = new Uint8Array(64 * 1024 * 1024).fill(7)
  send(ws, { id: 1, method: 'call', params: { fn: 'echo', args: [{ $bin: 0 }] }, bin: [blob.length] })
  ws.send(blob)
  await expect.poll(() => messages.length, { timeout: 20_000 }).toBe(3)
  expect(Buffer.compare(messages[2] as Uint8Array, blob)).toBe(0)
  ws.close()
})

test('serves functions, and withdraws them when the page closes', async () => {
  const { ws, messages, closed } = await open()
  send(ws, { id: 1, method: 'register', params: { functions: [{ name: 'page' }] } })
  await expect.poll(() => messages.length).toBe(1)
  using deadline = createDeadline(60_000)
  const caller = { peerId: 'p', name: 'n' }
  const invocation = { id: 'i', fn: 'page', args: [], kwargs: {}, caller, timeoutMs: 1, deadline }
  const sink = { chunk() {}, progress() {}, log() {} }
  const run = (): Promise<Value> | undefined => api.node.runners.get('page')?.run(invocation, sink)
  const first = run()
  await expect.poll(() => messages[1]).toMatchObject({ method: 'invoke' })
  send(ws, { id: 1, result: { value: 'from the page' } })
  expect(await first).toBe('from the page')
  const second = expect(run()).rejects.toMatchObject({ reason: 'interrupted' })
  ws.close()
  await second
  await closed
  expect(api.node.runners.size).toBe(0)
})

test.each([
  ['text that is no JSON', (ws: WebSocket) => ws.send('nonsense')],
  ['bytes that nobody announced', (ws: WebSocket) => ws.send(new Uint8Array(1))],
  [
    'bytes of another length',
    (ws: WebSocket) => {
      send(ws, { id: 1, method: 'status', bin: [2] })
      ws.send(new Uint8Array(1))
    },
  ],
])('%s ends the connection with an error', async (_, breakIt) => {
  const { ws, messages, closed } = await open()
  breakIt(ws)
  expect(await closed).toBe(1002)
  expect(messages.at(-1)).toMatchObject({ method: 'error', params: { reason: 'protocol_violation' } })
})
