/** The newest things of a kind; each new one beyond the capacity takes the place of the oldest. */
export interface Newest<T> {
  add(item: T): void
  /** The newest that fits. Looks at all of them: for questions of people, not for every call. */
  find(fits: (item: T) => boolean): T | undefined
  /** The newest `count`, or as many as there are, oldest first. */
  latest(count: number): T[]
}

export function createNewest<T>(capacity: number): Newest<T> {
  const ring: T[] = []
  let next = 0
  const back = (steps: number): T | undefined => ring[(next - steps + ring.length) % ring.length]
  return {
    add(item) {
      ring[next] = item
      next = (next + 1) % capacity
    },
    find(fits) {
      for (let steps = 1; steps <= ring.length; steps += 1) {
        const item = back(steps)
        if (item !== undefined && fits(item)) return item
      }
      return undefined
    },
    latest(count) {
      const found: T[] = []
      for (let steps = Math.min(count, ring.length); steps > 0; steps -= 1) found.push(back(steps) as T)
      return found
    },
  }
}
