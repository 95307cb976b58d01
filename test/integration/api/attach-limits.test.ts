import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { attach, type AttachClient } from './support/attach-client.ts'
import { serve, type TestServer } from './support/serve.ts'
import { untilAborted } from './support/stub-node.ts'

const MIB = 1024 * 1024

let api: TestServer
beforeAll(async () => {
  api = await serve()
})
afterAll(() => api[Symbol.asyncDispose]())

const lastWords = async (program: AttachClient): Promise<unknown> => {
  await program.closed
  return program.seen.at(-1)
}
const violation = (reason: string): unknown =>
  expect.objectContaining({ method: 'error', params: expect.objectContaining({ reason }) as unknown })

test('a line beyond 16 MiB ends the connection before it has come', async () => {
  const program = await attach(api)
  const part = Buffer.alloc(MIB, 'x')
  let written = 0
  const timer = setInterval(() => {
    if (program.socket.writable && program.socket.writableLength < MIB)
      written += program.socket.write(part) ? 1 : 1
  }, 1)
  expect(await lastWords(program)).toEqual(violation('too_large'))
  clearInterval(timer)
  expect(written).toBeGreaterThanOrEqual(16)
})

test.each([
  ['bytes', `{"id":1,"method":"call","params":{},"bin":[${129 * MIB}]}`, 'too_large'],
  ['bytes of a chunk', `{"method":"chunk","params":{},"bin":[${9 * MIB}]}`, 'too_large'],
  ['blobs', `{"id":1,"method":"call","params":{},"bin":[${'0,'.repeat(1_024)}0]}`, 'too_large'],
  ['lengths', '{"id":1,"method":"call","params":{},"bin":[-1]}', 'protocol_violation'],
  ['JSON', '{"id":1', 'protocol_violation'],
  ['message', '[1]', 'protocol_violation'],
  ['acknowledgement of an unknown kind', '{"params":{}}', 'protocol_violation'],
])('wrong %s end the connection with an error', async (_, line, reason) => {
  const program = await attach(api)
  program.socket.write(`${line}\n`)
  expect(await lastWords(program)).toEqual(violation(reason))
})

test('a program that goes on after its connection was ended is cut off', async () => {
  const program = await attach(api)
  const timer = setInterval(() => program.socket.writable && program.socket.write('x\n'), 5)
  await program.closed
  clearInterval(timer)
})

test('512 functions of one program, and no more', async () => {
  const program = await attach(api)
  const names = Array.from({ length: 512 }, (_, n) => ({ name: `f${n}` }))
  await program.request('register', { functions: names })
  await expect(program.request('register', { functions: [{ name: 'more' }] })).rejects.toMatchObject({
    reason: 'invalid_request',
  })
  program.socket.destroy()
  await expect.poll(() => api.node.runners.size).toBe(0)
})

test('1,024 running calls of one program, and no more', async () => {
  api.node.builtIn['forever'] = (_, __, signal) => untilAborted(signal)
  const program = await attach(api)
  for (let n = 0; n < 1_024; n += 1) {
    program.request('call', { fn: 'forever', stream: true }).catch(() => {})
  }
  await expect(program.request('call', { fn: 'forever' })).rejects.toMatchObject({ reason: 'too_many_calls' })
  program.socket.destroy()
  await expect.poll(() => api.node.status().calls.running).toBe(0)
})

test('two requests with one id: the second is refused while the first runs', async () => {
  const program = await attach(api)
  program.send({ id: 'same', method: 'call', params: { fn: 'forever', stream: true } })
  program.send({ id: 'same', method: 'call', params: { fn: 'forever', stream: true } })
  await expect
    .poll(() => program.seen.find(({ id }) => id === 'same'))
    .toMatchObject({ error: { data: { reason: 'invalid_request' } } })
  program.socket.destroy()
})

test('64 programs, and no more until one goes', async () => {
  await using one = await serve()
  const programs = await Promise.all(Array.from({ length: 64 }, () => attach(one)))
  await expect(attach(one)).rejects.toThrow(/HTTP\/1\.1 429[^]*too_many_calls/)
  programs[0]?.socket.destroy()
  const late = async (): Promise<unknown> => (await attach(one)).request('status', {})
  await expect.poll(late).toMatchObject({ schema: 'status/1' })
  for (const program of programs) program.socket.destroy()
})

test('a wrong token gets nothing', async () => {
  await expect(attach({ ...api, token: 'wrong' })).rejects.toThrow('401')
})

test('a program that does not read is not read either', async () => {
  const result = 'x'.repeat(4 * MIB)
  let ran = 0
  api.node.builtIn['large'] = () => {
    ran += 1
    return result
  }
  const program = await attach(api)
  program.socket.pause()
  for (let n = 0; n < 200; n += 1) {
    program.request('call', { fn: 'large' }).catch(() => {})
    await delay(2)
  }
  await delay(100)
  expect(ran).toBeLessThan(100)
  program.socket.destroy()
})
