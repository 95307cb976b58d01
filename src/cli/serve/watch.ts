import { watch } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { onAbort } from '../../util/signals.ts'

/** Editors write a file in several steps. */
const SETTLE_MS = 150
const SOURCES = /\.([mc]?[jt]s|json|py)$/
const OTHERS = /(^|[\\/])(node_modules|__pycache__|\.[^\\/]*)([\\/]|$)/

export interface FolderWatch {
  onChange(listener: () => void): void
  /** Resolves with the next change, or when `signal` aborts. */
  next(signal: AbortSignal): Promise<void>
  close(): void
}

/** Watches the sources in the folder of `file`, and below it. */
export function watchFolder(file: string): FolderWatch {
  const listeners = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(dirname(resolve(file)), { recursive: true }, (_event, name) => {
    if (name === null || !SOURCES.test(name) || OTHERS.test(name)) return
    clearTimeout(timer)
    timer = setTimeout(() => listeners.forEach((listener) => listener()), SETTLE_MS)
  })
  return {
    onChange: (listener) => void listeners.add(listener),
    next: (signal) =>
      new Promise((done) => {
        const finish = (): void => {
          listeners.delete(finish)
          unlink()
          done()
        }
        const unlink = onAbort(signal, finish)
        listeners.add(finish)
      }),
    close() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}
