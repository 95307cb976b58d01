import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { eventually } from '../../integration/support/eventually.ts'

/** Root of the checkout. */
export const CHECKOUT = resolve(import.meta.dirname, '../../..')

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface CommandOptions {
  env?: Record<string, string>
  cwd?: string
}

/** A command that runs. */
export interface RunningCommand {
  child: ChildProcess
  output: { stdout: string; stderr: string }
  ended: Promise<Ended>
  /** Resolves when it has written `text` to stdout or stderr; rejects when it ends before. */
  says(text: string): Promise<void>
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

/** Starts a command as a user would in the checkout: bin/ and the pinned Node are in PATH. */
export function start(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): RunningCommand {
  const others = Object.entries(process.env).filter(([name]) => !/^(EASYNET_|FORCE_COLOR$)/.test(name))
  const path = [join(CHECKOUT, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter)
  const child = spawn(command, args, {
    cwd: options.cwd ?? CHECKOUT,
    env: { ...Object.fromEntries(others), LC_ALL: 'C.UTF-8', PATH: path, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }))
  return {
    child,
    output,
    ended,
    says: async (text) => {
      const said = (): boolean => (output.stdout + output.stderr).includes(text)
      await Promise.race([eventually(said, 30_000), ended])
      if (!said()) throw new Error(`${command} ended without "${text}":\n${output.stdout}${output.stderr}`)
    },
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs a command to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<Ended> {
  return start(command, args, options).ended
}

/** The command lines of processes whose command line or environment contains `text`; none where there is no /proc. */
export function processesWith(text: string): string[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return (command + readFileSync(`/proc/${pid}/environ`, 'utf8')).includes(text)
          ? [`${pid} ${command.replaceAll('\0', ' ')}`]
          : []
      } catch {
        // It has ended, or belongs to somebody else.
        return []
      }
    })
}
