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
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Creates `dir` (and its parents) so that only this user can enter it: mode 0700. */
export function ensurePrivateDir(dir: string): void {
  const created = mkdirSync(dir, { recursive: true, mode: 0o700 })
  if (created === undefined) chmodSync(dir, 0o700)
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
