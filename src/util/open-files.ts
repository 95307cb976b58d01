import { readdirSync, readFileSync } from 'node:fs'

/**
 * Most files and sockets that a process may have open. Undefined where the system does not tell.
 *
 * @param pid - @default this process
 */
export function openFileLimit(pid?: number): number | undefined {
  if (process.platform === 'win32') return undefined
  if (process.platform === 'linux') return limitInProc(readLimits(pid) ?? readLimits() ?? '')
  // Otherwise it looks up the name of every connection.
  Object.assign(process.report, { excludeNetwork: true })
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | 'unlimited' } }
  }
  const soft = userLimits?.open_files?.soft
  return soft === 'unlimited' ? Infinity : soft
}

/** How many a process has open now; `all` when there is none left to look with. Linux only. */
export function openFiles(pid?: number): number | 'all' | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return readdirSync(`/proc/${pid ?? 'self'}/fd`).length
  } catch (error) {
    // Otherwise the process has ended, or belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EMFILE' ? 'all' : undefined
  }
}

function readLimits(pid?: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid ?? 'self'}/limits`, 'utf8')
  } catch {
    // The process has ended, or belongs to somebody else.
    return undefined
  }
}

/** The soft limit in the text of `/proc/PID/limits`. */
export function limitInProc(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Infinity : Number(soft)
}
