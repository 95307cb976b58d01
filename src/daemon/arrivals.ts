import { onAbort } from '../util/signals.ts'

/** Tells calls that wait for a provider of their function when one comes. */
export interface Arrivals {
  /** Resolves when the next provider of the function comes, or `signal` aborts. */
  next(fn: string, signal: AbortSignal): Promise<void>
  /** A device that offers these functions has come, or has begun to offer them. */
  came(fns: readonly { name: string }[]): void
}

export function createArrivals(): Arrivals {
  const waiting = new Map<string, Set<() => void>>()
  return {
    async next(fn, signal) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const others = waiting.get(fn) ?? new Set()
      waiting.set(fn, others.add(resolve))
      const unlink = onAbort(signal, resolve)
      await promise
      unlink()
      others.delete(resolve)
      if (others.size === 0 && waiting.get(fn) === others) waiting.delete(fn)
    },
    came(fns) {
      if (waiting.size === 0) return
      for (const { name } of fns) for (const resolve of waiting.get(name) ?? []) resolve()
    },
  }
}
