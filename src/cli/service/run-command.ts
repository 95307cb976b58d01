import { execFile } from 'node:child_process'
import type { Command } from './manager.ts'

const TIMEOUT_MS = 60_000

export interface CommandResult {
  ok: boolean
  /** What it said when it failed. */
  why: string
}

/** Runs a command of the service manager. */
export type RunCommand = (command: Command) => Promise<CommandResult>

export const runCommand: RunCommand = ([program, ...args]) =>
  new Promise((resolve) => {
    execFile(program, args, { timeout: TIMEOUT_MS }, (error, _stdout, stderr) => {
      const said = stderr.trim().split('\n')[0] ?? ''
      resolve({ ok: error === null, why: said === '' ? (error?.message ?? '') : said })
    })
  })
