import {
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { EasyNetError } from '../errors/error.ts'

export interface LogFile extends Disposable {
  /** Never throws: a full disk must not stop what writes the log. */
  write(line: string): void
}

export interface LogFileInit {
  path: string
  /** @default 10_485_760 */
  maxBytes?: number
  /** Files in all; the older ones are called `.1` to `.4`. @default 5 */
  maxFiles?: number
}

/**
 * A log that takes a bounded place on the disk. A full file is copied and emptied, not renamed: stderr of the
 * same process may lead to it as well, and whoever follows it goes on reading.
 */
export function openLogFile(init: LogFileInit): LogFile {
  const { path } = init
  const maxBytes = init.maxBytes ?? 10 * 1024 * 1024
  const olderFiles = (init.maxFiles ?? 5) - 1
  const file = openForAppending(path)
  let bytes = fstatSync(file).size
  let lost = 0

  const keepCopy = (): unknown => {
    try {
      rmSync(`${path}.${olderFiles}`, { force: true })
      for (let age = olderFiles - 1; age >= 1; age -= 1) moveIfThere(`${path}.${age}`, `${path}.${age + 1}`)
      if (olderFiles >= 1) copyFileSync(path, `${path}.1`)
      return undefined
    } catch (error) {
      return error
    }
  }
  const rotate = (): void => {
    const failure = keepCopy()
    // Without room for a copy the past is given up, not the present.
    ftruncateSync(file)
    bytes = 0
    if (failure === undefined) return
    bytes += writeSync(file, line('a full log was emptied without a copy', { code: codeOf(failure) }))
  }
  return {
    write(text) {
      try {
        if (bytes > 0 && bytes + Buffer.byteLength(text) > maxBytes) rotate()
        if (lost > 0) {
          bytes += writeSync(file, line('log lines were lost', { lost }))
          lost = 0
        }
        bytes += writeSync(file, text)
      } catch {
        // Told when there is room again.
        lost += 1
      }
    },
    [Symbol.dispose]: () => closeSync(file),
  }
}

function openForAppending(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch (cause) {
    throw new EasyNetError('invalid_config', `The log file ${path} cannot be written.`, { cause })
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function line(msg: string, facts: object): string {
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), ...facts, msg })}\n`
}
