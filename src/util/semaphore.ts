import { abortReason, onAbort } from './signals.ts'

/** A number of places; whoever finds none free waits in line. */
export interface Semaphore {
  /** Resolves with a place; dispose it exactly once. Rejects with the signal's reason. */
  acquire(signal: AbortSignal): Promise<Disposable>
  /** True when all places are free. */
  readonly idle: boolean
}

export function createSemaphore(places: number): Semaphore {
  let free = places
  const waiting = new Set<() => void>()

  const release = (): void => {
    const [next] = waiting
    if (next === undefined) free += 1
    else next()
  }
  const place = (): Disposable => ({ [Symbol.dispose]: release })

  return {
    get idle() {
      return free === places
    },
    async acquire(signal) {
      if (signal.aborted) throw abortReason(signal)
      if (free > 0) {
        free -= 1
        return place()
      }
      return new Promise((resolve, reject) => {
        const take = (): void => {
          waiting.delete(take)
          unlink()
          resolve(place())
        }
        waiting.add(take)
        const unlink = onAbort(signal, () => {
          waiting.delete(take)
          reject(abortReason(signal))
        })
      })
    },
  }
}
