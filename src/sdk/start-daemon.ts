import { DAEMON_NODE_FLAGS } from '../util/daemon-flags.ts'
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface StartOptions {
  /** Options of `easynetd`. */
  args?: readonly string[]
  /** The daemon lives on when this process ends. */
  detached?: boolean
  stdio?: StdioOptions
  env?: NodeJS.ProcessEnv
}

/** Starts `easynetd` from this installation, on the Node that runs this process. */
export function startDaemon(options: StartOptions = {}): ChildProcess {
  const { args = [], detached = false, stdio = 'inherit', env = process.env } = options
  const entry = fileURLToPath(new URL('../daemon/main.ts', import.meta.url))
  return spawn(process.execPath, [...DAEMON_NODE_FLAGS, entry, ...args], { detached, stdio, env })
}
