import { execFileSync } from 'node:child_process'
import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of a few MiB that a test can fill. */
export interface SmallDisk extends Disposable {
  folder: string
  /** Takes all room that is left, but for so many bytes. @param leaveBytes - default 0 */
  fill(leaveBytes?: number): void
  /** Gives back what `fill` took. */
  free(): void
  /** Removes a file or folder of it. */
  clear(name: string): void
}

/** Undefined where this user may not mount. */
export function mountSmallDisk(mib: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'easynet-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m,mode=700`, 'tmpfs', folder], {
      stdio: 'ignore',
    })
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  const filler = join(folder, 'filler')
  return {
    folder,
    fill(leaveBytes = 0) {
      const handle = openSync(filler, 'a')
      for (let bytes = 1024 * 1024; bytes >= 1;) if (!isWritten(handle, bytes)) bytes = Math.floor(bytes / 2)
      ftruncateSync(handle, fstatSync(handle).size - leaveBytes)
      closeSync(handle)
    },
    free: () => rmSync(filler, { force: true }),
    clear: (name) => rmSync(join(folder, name), { recursive: true }),
    [Symbol.dispose]() {
      execFileSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true })
    },
  }
}

function isWritten(handle: number, bytes: number): boolean {
  try {
    return writeSync(handle, Buffer.alloc(bytes, 1)) === bytes
  } catch {
    return false
  }
}
