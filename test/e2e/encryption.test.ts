import { createServer, connect as connectTcp } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { connect } from '../../src/sdk/index.ts'
import { startDaemon } from './support/daemon.ts'
import { addressOf, untilKnown } from './support/mesh.ts'

/** Passes bytes on between two daemons and keeps a copy of all of them. */
async function recordingProxy(targetPort: number) {
  const seen: Buffer[] = []
  const server = createServer((client) => {
    const target = connectTcp(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.on('data', (data: Buffer) => seen.push(data))
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return { port, bytes: () => Buffer.concat(seen), close: () => server.close() }
}

test('between two daemons no argument, result or function name is in clear', async () => {
  await using provider = await startDaemon({ args: ['--name', 'provider-in-clear'] })
  const [, , , , port] = addressOf(provider).split('/')
  const proxy = await recordingProxy(Number(port))
  const address = `/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${provider.peerId}`
  await using caller = await startDaemon({ args: ['--name', 'caller', '--bootstrap', address] })
  await using app = await connect({ home: provider.home })
  await app.register('very.secret.function.name', (text: string) => `${text} and the secret-result-5f2a`)
  await using client = await connect({ home: caller.home })
  await untilKnown(caller, 'very.secret.function.name')
  const result = await client.call('very.secret.function.name', ['the secret-argument-81bc'])
  expect(result).toBe('the secret-argument-81bc and the secret-result-5f2a')
  const large = Buffer.alloc(200_000, 'secret-payload-0c1d')
  await client.call('very.secret.function.name', [large.toString()])

  const traffic = proxy.bytes()
  proxy.close()
  // The call did go through the proxy, and the proxy does see what is sent in clear.
  expect(traffic.length).toBeGreaterThan(400_000)
  expect(traffic.includes('/multistream/1.0.0')).toBe(true)
  for (const secret of [
    'very.secret',
    'secret-argument',
    'secret-result',
    'secret-payload',
    'provider-in-clear',
  ]) {
    expect(traffic.includes(secret), secret).toBe(false)
  }
})
