import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { EasyNetError } from '../errors/error.ts'

/**
 * Creates `dir` (and its parents) so that only this user can enter it: mode 0700.
 *
 * @throws {@link EasyNetError} `unsafe_permissions` when it belongs to somebody else, `storage_failed`
 */
export function ensurePrivateDir(dir: string): void {
  try {
    makeDir(dir)
    requireOwner(dir, statSync(dir))
    chmodSync(dir, 0o700)
  } catch (error) {
    if (error instanceof EasyNetError) throw error
    throw new EasyNetError('storage_failed', `The folder ${dir} cannot be made or used: ${String(error)}`, {
      hint: 'Choose a folder that this user can write: --home DIR',
      details: { dir },
      cause: error,
    })
  }
}

/**
 * Creates a folder of mode 0700 with its parents; an existing one is left as it is. Node's own
 * `recursive` never returns where the file system answers ENOENT for a new folder, as /proc does.
 */
export function makeDir(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'EEXIST' && statSync(dir).isDirectory()) return
    if (code !== 'ENOENT' || dirname(dir) === dir) throw error
    makeDir(dirname(dir))
    mkdirSync(dir, { mode: 0o700 })
  }
}

/** @throws {@link EasyNetError} `unsafe_permissions` when another user owns `path` and so could replace it */
export function requireOwner(path: string, stats: Stats): void {
  const user = process.getuid?.()
  if (user === undefined || stats.uid === user) return
  throw new EasyNetError(
    'unsafe_permissions',
    `${path} belongs to user ${stats.uid}, but this program runs as user ${user}: that user could replace the device key.`,
    { hint: `sudo chown -R ${user} "${path}"`, details: { path, owner: stats.uid, user } },
  )
}

/**
 * Writes a file of mode 0600 in one step: after a crash there is the old content or the new one, never
 * a part.
 *
 * @param options.overwrite - false: fails with `EEXIST` when the file is there. @default true
 * @param options.mode - @default 0o600
 */
export function writePrivateFile(
  file: string,
  content: string | Uint8Array,
  options: { overwrite?: boolean; mode?: number } = {},
): void {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = openSync(temporary, 'wx', options.mode ?? 0o600)
    try {
      const bytes = Buffer.from(content)
      for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    // A rename would replace the file; a second name for the new one cannot.
    if (options.overwrite === false) linkSync(temporary, file)
    else renameSync(temporary, file)
  } finally {
    rmSync(temporary, { force: true })
  }
  syncDir(dirname(file))
}

/** A rename survives a power cut only when the folder itself was written. */
function syncDir(dir: string): void {
  // Windows cannot open folders; NTFS journals renames by itself.
  if (process.platform === 'win32') return
  const handle = openSync(dir, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
