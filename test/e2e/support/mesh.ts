import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Mesh } from '../../../src/sdk/index.ts'
import { eventually } from '../../integration/support/eventually.ts'
import { type Daemon, type DaemonOptions, startDaemon } from './daemon.ts'

/** Three real daemons; the others know only the address of the first. */
export interface DaemonMesh extends AsyncDisposable {
  boot: Daemon
  provider: Daemon
  caller: Daemon
  /** A program attached to a daemon; closed with the mesh. */
  attach(daemon: Daemon): Promise<Mesh>
}

/** @param options.args - for each of the three daemons */
export async function startMesh(
  options: { provider?: DaemonOptions; args?: string[] } = {},
): Promise<DaemonMesh> {
  const all = options.args ?? []
  await using stack = new AsyncDisposableStack()
  const boot = stack.use(await startDaemon({ args: ['--name', 'boot', ...all] }))
  const bootstrap = ['--bootstrap', addressOf(boot)]
  const provider = stack.use(
    await startDaemon({ ...options.provider, args: ['--name', 'provider', ...bootstrap, ...all] }),
  )
  const caller = stack.use(await startDaemon({ args: ['--name', 'caller', ...bootstrap, ...all] }))
  const parts = stack.move()
  return {
    boot,
    provider,
    caller,
    async attach(daemon) {
      return parts.use(await connect({ home: daemon.home }))
    },
    [Symbol.asyncDispose]: async () => parts.disposeAsync(),
  }
}

/** The first address where a daemon listens, with its peer id. */
export function addressOf(daemon: Daemon): string {
  const { addresses } = JSON.parse(readFileSync(join(daemon.home, 'run', 'daemon.json'), 'utf8')) as {
    addresses: string[]
  }
  return addresses[0] as string
}

/** Waits until a daemon knows a provider of each function. */
export async function untilKnown(daemon: Daemon, ...names: string[]): Promise<void> {
  await eventually(async () => {
    const response = await daemon.fetch('/v1/functions?scope=mesh')
    const { functions } = (await response.json()) as { functions: { name: string }[] }
    return names.every((name) => functions.some((fn) => fn.name === name))
  }, 20_000)
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) * 1024
}

/** Samples the memory of processes until stopped; `stop()` returns each one's growth, in bytes. */
export function watchMemory(...pids: number[]): Disposable & { stop(): number[] } {
  const idle = pids.map(residentBytes)
  const peak = [...idle]
  const timer = setInterval(() => {
    for (const [index, pid] of pids.entries())
      peak[index] = Math.max(peak[index] as number, residentBytes(pid))
  }, 20)
  return {
    [Symbol.dispose]: () => clearInterval(timer),
    stop() {
      clearInterval(timer)
      return peak.map((bytes, index) => bytes - (idle[index] as number))
    },
  }
}
