import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { DAEMON_NODE_FLAGS } from '../util/daemon-flags.ts'
import { installedFile } from '../util/installation.ts'

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
  const entry = installedFile('bin/easynetd.mjs')
  return spawn(process.execPath, [...DAEMON_NODE_FLAGS, entry, ...args], { detached, stdio, env })
}
