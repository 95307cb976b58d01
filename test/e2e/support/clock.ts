import { join } from 'node:path'
import { renameSync, writeFileSync } from 'node:fs'
import { temporaryHome } from './daemon.ts'

/** A wall clock of a daemon that is off, and may be set while it runs. */
export interface ShiftedClock {
  /** For the daemon's options. */
  env: Record<string, string>
  set(shiftMs: number): void
}

export const HOUR_MS = 3_600_000

export function shiftedClock(shiftMs: number): ShiftedClock {
  const file = join(temporaryHome(), 'shift')
  const set = (ms: number): void => {
    // Whole, so that nobody reads half a number.
    writeFileSync(`${file}.new`, String(ms))
    renameSync(`${file}.new`, file)
  }
  set(shiftMs)
  const preload = join(import.meta.dirname, 'shifted-clock.ts')
  return { env: { NODE_OPTIONS: `--import=${preload}`, SHIFT_CLOCK_FILE: file }, set }
}
