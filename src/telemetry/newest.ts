/** The newest things of a kind; each new one beyond the capacity takes the place of the oldest. */
export interface Newest<T> {
  add(item: T): void
  /** The newest that fits. Looks at all of them: for questions of people, not for every call. */
  find(fits: (item: T) => boolean): T | undefined
}

export function createNewest<T>(capacity: number): Newest<T> {
  const ring: T[] = []
  let next = 0
  return {
    add(item) {
      ring[next] = item
      next = (next + 1) % capacity
    },
    find(fits) {
      for (let back = 1; back <= ring.length; back += 1) {
        const item = ring[(next - back + ring.length) % ring.length]
        if (item !== undefined && fits(item)) return item
      }
      return undefined
    },
  }
}
