import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const PROGRAM = resolve(import.meta.dirname, '../../../bin/easynetd')
const STUB = resolve(import.meta.dirname, 'stub-daemon.ts')

export interface DaemonOptions {
  /** @default a new temporary folder, removed by `remove()` and by disposal */
  home?: string
  /** Appended to `--home … --api 127.0.0.1:0 --listen /ip4/127.0.0.1/tcp/0 --no-mdns`. */
  args?: string[]
  env?: Record<string, string>
  cwd?: string
  /** Words before the program, such as `ip netns exec …`. */
  prefix?: readonly string[]
  /** Used instead of the flags above (`--home` stays). */
  onlyArgs?: boolean
  /** Runs `stub-daemon.ts`: the real process around a node that does nothing. @default false */
  stub?: boolean
  /** Longest wait for the ready line. @default 20_000 */
  timeoutMs?: number
}

/** A real `easynetd` process that serves. `await using` stops it and removes its temporary home. */
export interface Daemon extends AsyncDisposable {
  home: string
  url: string
  token: string
  peerId: string
  pid: number
  /** Everything it wrote so far. */
  stdout(): string
  stderr(): string
  /** Milliseconds from spawn to the ready line. */
  startedInMs: number
  /** Authorised request to its control API. */
  fetch(path: string, init?: RequestInit): Promise<Response>
  signal(signal: NodeJS.Signals): void
  /** Stops reading its stdout and stderr, as a terminal that was closed. */
  closeOutput(): void
  /** Resolves when the process has ended. */
  exited: Promise<Exit>
  /** SIGTERM, and SIGKILL after 35 s. */
  stop(): Promise<Exit>
  /** SIGKILL: nothing is cleaned up. */
  kill(): Promise<Exit>
}

export interface Exit {
  /** Null when a signal ended it. */
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Starts a daemon and waits until it serves. Rejects with its stderr when it ends before. */
export async function startDaemon(options: DaemonOptions = {}): Promise<Daemon> {
  const home = options.home ?? temporaryHome()
  const startedAt = performance.now()
  const { child, output, exited } = spawnDaemon({ ...options, home })
  const line = await readyLine(child, output, exited, options.timeoutMs ?? 20_000).catch((error: unknown) => {
    if (options.home === undefined) removeHome(home)
    throw error
  })
  const startedInMs = performance.now() - startedAt
  const ready = JSON.parse(line) as { url: string; peerId: string }
  const token = readFileSync(join(home, 'run', 'token'), 'utf8').trim()

  const end = async (signal: NodeJS.Signals, killAfterMs: number): Promise<Exit> => {
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    const exit = await exited
    clearTimeout(timer)
    return exit
  }
  return {
    home,
    url: ready.url,
    peerId: ready.peerId,
    token,
    pid: child.pid ?? 0,
    startedInMs,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    fetch: (path, init) =>
      fetch(new URL(path, ready.url), {
        ...init,
        headers: {
          authorization: `Bearer ${token}`,
          ...(init?.headers as Record<string, string> | undefined),
        },
      }),
    signal: (signal) => void child.kill(signal),
    closeOutput: () => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
    exited,
    stop: () => end('SIGTERM', 35_000),
    kill: () => end('SIGKILL', 1_000),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end('SIGTERM', 3_000)
      if (options.home === undefined) removeHome(home)
    },
  }
}

/** Runs a daemon that is expected to end by itself, and returns how it did. */
export async function runDaemon(options: DaemonOptions = {}): Promise<Exit & { home: string }> {
  const home = options.home ?? temporaryHome()
  const { child, exited } = spawnDaemon({ ...options, home })
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 20_000)
  const exit = await exited
  clearTimeout(timer)
  return { ...exit, home }
}

/** Short, because a Unix socket's path has at most 107 bytes. */
export function temporaryHome(): string {
  return mkdtempSync(join(tmpdir(), 'easynet-'))
}

export function removeHome(home: string): void {
  rmSync(home, { recursive: true, force: true })
}

interface Running {
  child: ChildProcess
  output: { stdout: string; stderr: string }
  exited: Promise<Exit>
}

function spawnDaemon(options: DaemonOptions & { home: string }): Running {
  const isolated = ['--api', '127.0.0.1:0', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns']
  const args = [
    '--home',
    options.home,
    ...(options.onlyArgs === true ? [] : isolated),
    ...(options.args ?? []),
  ]
  const own = options.stub === true ? [process.execPath, STUB] : [PROGRAM]
  const [program = '', ...first] = [...(options.prefix ?? []), ...own]
  const child = spawn(program, [...first, ...args], {
    cwd: options.cwd ?? options.home,
    env: { ...withoutOurVariables(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  // A test run that is stopped must not leave daemons behind.
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const exited = once(child, 'close').then(([code, signal]) => {
    process.off('exit', killWithUs)
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, ...output }
  })
  return { child, output, exited }
}

/** The settings of whoever runs the tests must not reach the daemons. */
function withoutOurVariables(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('EASYNET_'))
  return Object.fromEntries(others)
}

async function readyLine(
  child: ChildProcess,
  output: Running['output'],
  exited: Promise<Exit>,
  timeoutMs: number,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const check = (): void => {
    const end = output.stdout.indexOf('\n')
    if (end !== -1) resolve(output.stdout.slice(0, end))
  }
  child.stdout?.on('data', check)
  const fail = (why: string): void => reject(new Error(`easynetd ${why}.\nstderr:\n${output.stderr}`))
  void exited.then(({ code, signal }) => fail(`ended with ${code ?? signal} before it was ready`))
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    fail(`was not ready within ${timeoutMs} ms`)
  }, timeoutMs)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    child.stdout?.off('data', check)
  }
}
