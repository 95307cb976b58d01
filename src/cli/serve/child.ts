import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, extname } from 'node:path'
import { installedFile } from '../../util/installation.ts'

const KILL_AFTER_MS = 5_000

const NODE_FILES = ['.ts', '.mts', '.js', '.mjs', '.cjs', '.cts']

/** A process that serves one file. It leads its own process group, so that what it starts ends with it. */
export interface ServingChild {
  /** Resolves with how it ended: an exit code or the name of a signal. */
  exited: Promise<number | string>
  /** Ends the whole group by force. */
  kill(): void
  /** Asks it to end, and kills it after 5 s. */
  stop(): Promise<void>
}

/** True for the name of a JavaScript, TypeScript or Python file. */
export function isServable(file: string): boolean {
  return NODE_FILES.includes(extname(file)) || extname(file) === '.py'
}

/** @param env - of the process; `EASYNET_GROUP` ties it to its supervisor */
export function startChild(file: string, env: NodeJS.ProcessEnv): ServingChild {
  const child = extname(file) === '.py' ? startPython(file, env) : startNode(file, env)
  // When we are gone its input ends, which it takes as the sign to end too.
  child.stdin?.on('error', () => undefined)
  const exited = ended(child)
  const signalGroup = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    process.kill(-child.pid, signal)
  }
  return {
    exited,
    kill: () => signalGroup('SIGKILL'),
    async stop() {
      signalGroup('SIGTERM')
      const timer = setTimeout(() => signalGroup('SIGKILL'), KILL_AFTER_MS)
      await exited
      clearTimeout(timer)
    },
  }
}

function startNode(file: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [installedFile('src/sdk/serve-host.ts'), file], options(env))
}

function startPython(file: string, env: NodeJS.ProcessEnv): ChildProcess {
  const sdk = installedFile('sdk/python')
  const path = [sdk, env['PYTHONPATH']].filter((part) => part !== undefined && part !== '').join(delimiter)
  const python = env['EASYNET_PYTHON'] ?? 'python3'
  return spawn(python, [file], options({ ...env, PYTHONPATH: path, PYTHONUNBUFFERED: '1' }))
}

/** What the functions print goes beside our result. */
function options(env: NodeJS.ProcessEnv) {
  return {
    env,
    detached: true,
    stdio: ['pipe', process.stderr, process.stderr] as ['pipe', NodeJS.WriteStream, NodeJS.WriteStream],
  }
}

async function ended(child: ChildProcess): Promise<number | string> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? signal ?? 'unknown'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
