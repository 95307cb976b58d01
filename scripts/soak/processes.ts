import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { DAEMON_NODE_FLAGS } from '../../src/util/daemon-flags.ts'
import type { Held } from './probe.ts'

const CHECKOUT = resolve(import.meta.dirname, '../..')
const PROBE = [
  '--expose-gc',
  '--disable-warning=ExperimentalWarning',
  '--import',
  join(import.meta.dirname, 'probe.ts'),
]
const READY_TIMEOUT_MS = 60_000
const PROBE_TIMEOUT_MS = 30_000
/** Longer than a daemon needs to end what runs and to close. */
const STOP_TIMEOUT_MS = 45_000

export interface Ended {
  /** Null when a signal ended it. */
  code: number | null
  signal: NodeJS.Signals | null
}

/** A daemon or a program that runs. */
export interface Running extends AsyncDisposable {
  title: string
  pid: number
  child: ChildProcess
  /** What it holds now. @param timeoutMs - @default 30_000 */
  probe(): Promise<Held>
  /** Open descriptors. */
  descriptors(): number
  /** Lines of its log that no healthy process writes. */
  troubles: string[]
  ended: Promise<Ended>
  /** Resolves when it has ended; SIGKILL follows when it takes too long. */
  end(signal: NodeJS.Signals): Promise<Ended>
}

/** Which functions a program offers: see functions.ts. Workers also make calls. */
export type Mode = 'worker' | 'visitor' | 'guest'

export interface Daemon extends Running {
  home: string
  name: string
  address: string
}

/** Starts a real `easynetd`, with the probe inside. Its log goes to `HOME.log`. */
export async function startDaemon(
  home: string,
  name: string,
  options: { bootstrap?: string; isWatched?: boolean },
): Promise<Daemon> {
  const local = ['--api', '127.0.0.1:0', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns']
  const bootstrap = options.bootstrap === undefined ? [] : ['--bootstrap', options.bootstrap]
  const main = join(CHECKOUT, 'bin/easynetd.mjs')
  const flags = [...DAEMON_NODE_FLAGS, ...(options.isWatched === true ? PROBE : [])]
  const args = [
    ...flags,
    main,
    '--log-level',
    'debug',
    '--home',
    home,
    '--name',
    name,
    ...local,
    ...bootstrap,
  ]
  const running = start(`daemon ${name}`, args, `${home}.log`)
  await ready(running)
  const file = readFileSync(join(home, 'run', 'daemon.json'), 'utf8')
  const { addresses } = JSON.parse(file) as { addresses: string[] }
  return Object.assign(running, { home, name, address: addresses[0] ?? '' })
}

/** Starts `program.ts`, attached to the daemon of a home. */
export async function startProgram(home: string, name: string, mode: Mode): Promise<Running> {
  const flags = mode === 'worker' ? PROBE : []
  const script = join(import.meta.dirname, 'program.ts')
  const running = start(`program ${name}`, [...flags, script, home, name, mode], `${home}.${name}.log`)
  await ready(running)
  return running
}

function start(title: string, args: string[], logFile: string): Running {
  const child = spawn(process.execPath, args, {
    cwd: CHECKOUT,
    // The settings of whoever runs this must not reach the daemons.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(EASYNET_|NODE_)/.test(name))),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  // Nothing here may outlive us, however we end.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const troubles: string[] = []
  const log = createWriteStream(logFile, { flags: 'a' })
  createInterface({ input: child.stderr! }).on('line', (line) => {
    log.write(`${line}\n`)
    if (isTrouble(line)) troubles.push(`${title}: ${line.slice(0, 2_000)}`)
  })
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    process.off('exit', kill)
    log.end()
    return { code: code as number | null, signal: signal as NodeJS.Signals | null }
  })
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
  const end = async (signal: NodeJS.Signals): Promise<Ended> => {
    child.kill(signal)
    const timer = setTimeout(kill, STOP_TIMEOUT_MS)
    const how = await ended
    clearTimeout(timer)
    return how
  }
  return {
    title,
    pid: child.pid ?? 0,
    child,
    troubles,
    ended,
    end,
    probe: async () => probe(child, title),
    descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length,
    async [Symbol.asyncDispose]() {
      if (!isOver()) await end('SIGKILL')
    },
  }
}

/** A log line at level error or fatal, or one that is none: a crash, a warning of Node. */
function isTrouble(line: string): boolean {
  return !line.startsWith('{') || /^\{"level":"(error|fatal)"/.test(line)
}

async function ready({ child, title, ended, troubles }: Running): Promise<void> {
  const line = once(createInterface({ input: child.stdout! }), 'line')
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error(`${title} was not ready in time`)), READY_TIMEOUT_MS).unref()
  })
  const early = ended.then(({ code }) => {
    throw new Error(`${title} ended with ${code} before it was ready: ${troubles.join('\n')}`)
  })
  await Promise.race([line, late, early])
  child.stdout?.resume()
}

let probes = 0

async function probe(child: ChildProcess, title: string): Promise<Held> {
  probes += 1
  const number = probes
  return new Promise<Held>((resolve, reject) => {
    const timer = setTimeout(() => over(new Error(`${title} did not answer its probe`)), PROBE_TIMEOUT_MS)
    const over = (result: Held | Error): void => {
      clearTimeout(timer)
      child.off('message', onMessage)
      if (result instanceof Error) reject(result)
      else resolve(result)
    }
    const onMessage = (message: { probe?: number; held?: Held }): void => {
      if (message.probe === number && message.held !== undefined) over(message.held)
    }
    child.on('message', onMessage)
    child.send({ probe: number }, (error) => {
      if (error !== null) over(error)
    })
  })
}
