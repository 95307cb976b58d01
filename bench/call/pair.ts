import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { DAEMON_NODE_FLAGS } from '../../src/util/daemon-flags.ts'
import type { Certificate } from './certificate.ts'
import type { Result, Step } from './measure.ts'
import type { Order } from './peer.ts'
import type { Address } from './system.ts'

const PEER = resolve(import.meta.dirname, 'peer.ts')
const DAEMON = resolve(import.meta.dirname, '../../bin/easynetd.mjs')

/** A system that runs: its processes are connected and idle. */
export interface Pair {
  measure(step: Step): Promise<Result>
  /** Ends its processes, programs before daemons. */
  stop(): Promise<void>
}

export interface PairInit {
  system: string
  folder: string
  certificate: Certificate
  /** Two `easynetd` between the two programs. */
  daemons: boolean
  /** The two processes are nodes themselves, and run as daemons do. */
  nodes: boolean
  /** Arguments for Node of every process, e.g. `--cpu-prof`. */
  nodeArgs: string[]
}

export async function startPair(init: PairInit): Promise<Pair> {
  const { system, folder, certificate, daemons, nodes, nodeArgs } = init
  mkdirSync(folder, { recursive: true })
  const children: ChildProcess[] = []
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await end(child)
  }
  const daemon = async (name: string, bootstrap: string[]): Promise<string> => {
    const home = join(folder, name)
    const listen = ['--api', '127.0.0.1:0', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns']
    const args = [
      ...DAEMON_NODE_FLAGS,
      ...nodeArgs,
      DAEMON,
      '--home',
      home,
      '--name',
      name,
      ...listen,
      ...bootstrap,
    ]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    children.push(child)
    await once(createInterface({ input: child.stdout }), 'line')
    return home
  }
  const peer = async (): Promise<(order: Order) => Promise<unknown>> => {
    const execArgv = nodes ? [...DAEMON_NODE_FLAGS, ...nodeArgs] : nodeArgs
    const child = fork(PEER, [system], { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    children.push(child)
    await answerOf(child)
    return async (order) => {
      child.send(order)
      return answerOf(child)
    }
  }

  try {
    const homes: string[] = []
    if (daemons) {
      homes.push(await daemon('provider', []))
      homes.push(await daemon('caller', ['--bootstrap', addressOf(homes[0] ?? '')]))
    }
    const [providerHome, callerHome] = homes
    const peerInit = { certificate, folder }
    const serve = await peer()
    const withHome = (home: string | undefined) => (home === undefined ? peerInit : { ...peerInit, home })
    const address = (await serve({ kind: 'serve', init: withHome(providerHome) })) as Address
    const connect = await peer()
    await connect({ kind: 'connect', init: withHome(callerHome), address })
    return { measure: async (step) => (await connect({ kind: 'measure', step })) as Result, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** A peer ends when its channel closes, and only so writes its profile. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  if (child.connected) child.disconnect()
  else child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exited
  clearTimeout(timer)
}

/** The next answer of a peer. */
function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => {
      reject(new Error(`its process ended with code ${String(code)}`))
    }
    child.once('exit', onExit)
    child.once('message', (answer: { done?: unknown; failed?: string }) => {
      child.off('exit', onExit)
      if (answer.failed === undefined) resolve(answer.done)
      else reject(new Error(answer.failed))
    })
  })
}

function addressOf(home: string): string {
  const file = JSON.parse(readFileSync(join(home, 'run', 'daemon.json'), 'utf8')) as { addresses: string[] }
  return file.addresses[0] ?? ''
}
