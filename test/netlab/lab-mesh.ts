import { connect, HttpClient, type Mesh } from '../../src/sdk/index.ts'
import { type Daemon, startDaemon } from '../e2e/support/daemon.ts'
import { addressOf } from '../e2e/support/mesh.ts'
import { eventually } from '../integration/support/eventually.ts'
import { buildLab, type Lab, type LabInit } from './lab.ts'

export interface LabHost {
  daemon: Daemon
  program: Mesh
  /** Over the daemon's Unix socket, which no network is between. */
  api: HttpClient
}

/** A daemon with a program on each host; the others know only the address of the first. */
export interface LabMesh extends AsyncDisposable {
  lab: Lab
  hosts: Record<string, LabHost>
  isConnected(from: string, to: string): Promise<boolean>
  /** Milliseconds from now until two hosts are (or are not) connected, each in its own view. */
  until(isConnected: boolean, one: string, other: string): Promise<number>
}

/** Much longer than anything here takes: what is slower is broken, and a busy machine is not. */
const PATIENCE_MS = 60_000

export async function startLabMesh(init: LabInit): Promise<LabMesh> {
  await using stack = new AsyncDisposableStack()
  const lab = stack.use(await buildLab(init))
  const hosts: Record<string, LabHost> = {}
  const bootstrap: string[] = []
  for (const name of init.hosts) {
    const listen = ['--listen', `/ip4/${lab.addressOf(name)}/tcp/0`, '--api', '127.0.0.1:0', '--no-mdns']
    const args = ['--name', name, ...listen, ...bootstrap]
    const daemon = stack.use(await startDaemon({ onlyArgs: true, prefix: lab.on(name), args }))
    if (bootstrap.length === 0) bootstrap.push('--bootstrap', addressOf(daemon))
    const program = stack.use(await connect({ home: daemon.home }))
    hosts[name] = { daemon, program, api: stack.use(await HttpClient.open({ home: daemon.home })) }
  }
  const isConnected = async (from: string, to: string): Promise<boolean> =>
    (await hosts[from]!.api.peers()).some((peer) => peer.name === to && peer.connected)
  const parts = stack.move()
  return {
    lab,
    hosts,
    isConnected,
    async until(wanted, one, other) {
      const startedAt = performance.now()
      await Promise.all(
        [
          [one, other],
          [other, one],
        ].map(async ([from = '', to = '']) =>
          eventually(async () => (await isConnected(from, to)) === wanted, PATIENCE_MS),
        ),
      )
      return performance.now() - startedAt
    },
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  }
}
