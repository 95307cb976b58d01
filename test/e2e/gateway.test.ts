import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { removeHome, runDaemon, startDaemon } from './support/daemon.ts'

test('the gateway is a second port of the control API, told in daemon.json', async () => {
  const port = await freePort()
  await using daemon = await startDaemon({ stub: true, args: ['--gateway', `127.0.0.1:${port}`] })
  const file = JSON.parse(readFileSync(join(daemon.home, 'run/daemon.json'), 'utf8')) as object
  expect(file).toMatchObject({ url: daemon.url, gateway: `127.0.0.1:${port}` })
  const ask = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/v1/status`, { headers })).status
  expect(await ask({ authorization: `Bearer ${daemon.token}` })).toBe(200)
  expect(await ask({})).toBe(401)
})

test('without the flag there is none', async () => {
  await using daemon = await startDaemon({ stub: true })
  expect(readFileSync(join(daemon.home, 'run/daemon.json'), 'utf8')).not.toContain('gateway')
})

test.each(['0.0.0.0:8080', '[::]:8080', '192.0.2.7:8080'])(
  'a gateway that others could reach is refused: %s',
  async (address) => {
    const exit = await runDaemon({ stub: true, args: ['--gateway', address] })
    onTestFinished(() => removeHome(exit.home))
    expect(exit).toMatchObject({ code: 78, stdout: '' })
    expect(exit.stderr).toContain('unsafe_bind')
    expect(exit.stderr).toContain('--gateway 127.0.0.1:8080')
  },
)

test('a taken gateway port is an error, not another port', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const exit = await runDaemon({ stub: true, args: ['--gateway', `127.0.0.1:${port}`] })
  onTestFinished(() => removeHome(exit.home))
  expect(exit.code).toBe(1)
  expect(exit.stderr).toContain(`127.0.0.1:${port} is in use`)
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
