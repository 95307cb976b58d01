import { randomBytes } from 'node:crypto'
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { EasyNetError } from '../errors/error.ts'

/**
 * Room on the disk that is kept for the time when it is full: then it is given free, so that what was
 * begun can still be noted, while nothing new is begun.
 */
export interface DiskReserve extends Disposable {
  /** From the first write that found no room until there is room for the reserve again. */
  readonly isFull: boolean
  /** A write found no room. */
  exhausted(): void
}

export interface DiskReserveInit {
  /** Where the file lies, beside the databases. */
  folder: string
  /** @default 8 MiB: enough for the ends of 1,024 calls, see docs/adr/0009-full-disk.md */
  bytes?: number
  /** How often a full disk is looked at. @default 1_000 */
  checkIntervalMs?: number
  onChange?: ((isFull: boolean) => void) | undefined
}

const DEFAULT_BYTES = 8 * 1024 * 1024
const PART_BYTES = 256 * 1024
/** With less than this a daemon cannot even start. */
const LEAST_BYTES = 512 * 1024

/**
 * Makes the reserve. A disk that has no room for it counts as full; the reserve of an earlier start is
 * given free at once when even a start needs it.
 */
export function openDiskReserve(init: DiskReserveInit): DiskReserve {
  const { folder, bytes = DEFAULT_BYTES, checkIntervalMs = 1_000 } = init
  const file = join(folder, 'reserve')
  let isFull = false
  let timer: NodeJS.Timeout | undefined

  // What is left besides it has to be enough for the first new calls.
  const make = (): boolean => freeBytes(folder) >= 2 * bytes && isMade(file, bytes)
  const restore = (): void => {
    if (!make()) return look()
    isFull = false
    init.onChange?.(false)
  }
  const look = (): void => {
    clearTimeout(timer)
    timer = setTimeout(restore, checkIntervalMs).unref()
  }
  const exhausted = (): void => {
    rmSync(file, { force: true })
    look()
    if (isFull) return
    isFull = true
    init.onChange?.(true)
  }

  const isKept = statSync(file, { throwIfNoEntry: false })?.size === bytes
  if (isKept ? freeBytes(folder) < LEAST_BYTES : !make()) exhausted()
  return {
    get isFull() {
      return isFull
    },
    exhausted,
    [Symbol.dispose]: () => clearTimeout(timer),
  }
}

/** What a write that must not be lost says while the disk is full: nothing was begun. */
export function diskFull(file: string): EasyNetError {
  return new EasyNetError('storage_failed', `The disk that holds ${file} is full.`, {
    hint: `df -h "${file}"`,
    details: { file },
    retryable: true,
  })
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** False when there was no room for all of it. Of random bytes: a file system that compresses keeps room for them too. */
function isMade(file: string, bytes: number): boolean {
  const part = randomBytes(Math.min(bytes, PART_BYTES))
  try {
    const handle = openSync(file, 'w', 0o600)
    try {
      for (let left = bytes; left > 0;) left -= writeSync(handle, part, 0, Math.min(left, part.length))
    } finally {
      closeSync(handle)
    }
    return true
  } catch {
    // Whatever refuses it now, full disk or quota, may allow it later.
    rmSync(file, { force: true })
    return false
  }
}
