import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { addressOf } from '../support/mesh.ts'
import type { Random } from './plan.ts'

/** A process that is killed and started again. */
export interface Victim extends AsyncDisposable {
  readonly name: string
  /** SIGKILL; resolves when it is gone. False when it had ended by itself. */
  kill(): Promise<boolean>
  /** Resolves when it serves. */
  start(): Promise<void>
}

export interface DaemonVictim extends Victim {
  /** The one that runs now. */
  daemon(): Daemon
  /** What went wrong by itself, in its own words. */
  readonly problems: string[]
}

/** A daemon whose port for peers stays the same, as it does in life. */
export async function startDaemonVictim(name: string, home: string, boot: Daemon): Promise<DaemonVictim> {
  const listen = ['--api', '127.0.0.1:0', '--listen', `/ip4/127.0.0.1/tcp/${await freePort()}`, '--no-mdns']
  const args = ['--name', name, ...listen, '--bootstrap', addressOf(boot)]
  const problems: string[] = []
  let isExpected = false
  let running: Daemon
  const start = async (): Promise<void> => {
    isExpected = false
    running = await startDaemon({ home, args, onlyArgs: true, cwd: tmpdir(), timeoutMs: 60_000 })
    void running.exited.then(({ code, stderr }) => {
      if (!isExpected) problems.push(`${name} ended by itself with ${code}: ${stderr.slice(-2_000)}`)
      const lines = stderr.split('\n').filter((line) => /"level":(?:50|60)/.test(line))
      problems.push(...lines.map((line) => `${name} logged: ${line.slice(0, 2_000)}`))
    })
  }
  const end = async (): Promise<void> => {
    isExpected = true
    await running.kill()
  }
  await start()
  return {
    name: `${name}'s daemon`,
    daemon: () => running,
    problems,
    start,
    async kill() {
      await end()
      return true
    },
    [Symbol.asyncDispose]: end,
  }
}

export interface ProgramVictim extends Victim {
  /** Its exit code, when it ends without being killed. */
  readonly finished: Promise<number | null>
}

/** A program of this folder. @param saysReady - it prints a line when it serves */
export async function startProgramVictim(
  name: string,
  [script = '', ...args]: string[],
  saysReady: boolean,
): Promise<ProgramVictim> {
  const finished = Promise.withResolvers<number | null>()
  let child: ChildProcess
  let isKilled = false
  const start = async (): Promise<void> => {
    isKilled = false
    const running = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child = running
    const ended = once(running, 'close').then(([code]) => {
      if (!isKilled) finished.resolve(code as number | null)
    })
    if (saysReady) await Promise.race([once(running.stdout, 'data'), ended])
  }
  const kill = async (): Promise<boolean> => {
    if (child.exitCode !== null || child.signalCode !== null) return false
    isKilled = true
    child.kill('SIGKILL')
    await once(child, 'close')
    return true
  }
  await start()
  return {
    name: `${name}'s program`,
    finished: finished.promise,
    start,
    kill,
    async [Symbol.asyncDispose]() {
      await kill()
    },
  }
}

/** Kills one of them, sometimes two, and starts them again, until `signal` aborts. */
export async function killSome(
  random: Random,
  victims: readonly Victim[],
  signal: AbortSignal,
  onKill: (name: string, outageMs: number) => void,
): Promise<void> {
  while (true) {
    const pauseMs = random.between(100, 1_500)
    const outageMs = random.between(0, 500)
    const chosen = new Set([
      random.pick(victims),
      ...(random.between(0, 4) === 0 ? [random.pick(victims)] : []),
    ])
    await wait(pauseMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    await Promise.all(
      [...chosen].map(async (victim) => {
        if (!(await victim.kill())) return
        const killedAt = performance.now()
        await wait(outageMs)
        await victim.start()
        onKill(victim.name, performance.now() - killedAt)
      }),
    )
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
