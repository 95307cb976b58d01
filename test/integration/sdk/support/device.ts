import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type ConnectOptions, type Mesh } from '../../../../src/sdk/index.ts'
import { serve, type TestServer, TOKEN } from '../../api/support/serve.ts'
import type { StubNode } from '../../api/support/stub-node.ts'

/** A control API with the files by which programs find it; it can be stopped and started again. */
export interface Device extends AsyncDisposable {
  home: string
  /** The server that runs now. */
  server(): TestServer
  connect(options?: ConnectOptions): Promise<Mesh>
  stop(): Promise<void>
  /** @param prepare - before anybody can connect */
  start(prepare?: (node: StubNode) => void): Promise<void>
}

/** @param withSocket - programs come by the Unix socket, as they do by default; else by TCP */
export async function startDevice(withSocket = true): Promise<Device> {
  const home = mkdtempSync(join(tmpdir(), 'easynet-sdk-'))
  const run = join(home, 'run')
  const socketPath = join(run, 'api.sock')
  mkdirSync(run)
  writeFileSync(join(run, 'token'), TOKEN)
  let server: TestServer
  const device: Device = {
    home,
    server: () => server,
    connect: (options) => connect({ home, client: 'test', ...options }),
    async start(prepare) {
      const socket = withSocket ? { socketPath, replaceSocket: true } : {}
      server = await serve({ ...socket, closeGraceMs: 0 }, prepare)
      const file = { url: server.url, pid: process.pid, ...(withSocket ? { socket: socketPath } : {}) }
      writeFileSync(join(run, 'daemon.json'), JSON.stringify(file))
    },
    stop: async () => server[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await device.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
  await device.start()
  return device
}
