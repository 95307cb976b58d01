/** Numbers that a seed decides (mulberry32). */
export interface Random {
  /** From `from` up to, not including, `to`. */
  between(from: number, to: number): number
  pick<T>(items: readonly T[]): T
}

export function createRandom(seed: number): Random {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    between: (from, to) => from + (next() % (to - from)),
    pick: (items) => items[next() % items.length] as (typeof items)[number],
  }
}

/**
 * How the program makes the call. `sdk`: through the library. `key`: the same with an idempotency key,
 * repeated with it after the program's own crash. `http`: by `POST /v1/calls`, repeated after every
 * broken connection, with a key where the function must not run twice.
 */
export type Way = 'sdk' | 'key' | 'http'

export interface PlannedCall {
  /** Its argument and its result. */
  n: number
  /** `once` must not run twice, `again` is registered idempotent. */
  fn: 'once' | 'again'
  way: Way
  /** How long the function works between its two effects. */
  workMs: number
  /** When the program makes it, after its first start. */
  startAfterMs: number
}

const KINDS = [
  ['once', 'sdk'],
  ['once', 'key'],
  ['once', 'http'],
  ['again', 'sdk'],
  ['again', 'http'],
] as const satisfies [PlannedCall['fn'], Way][]

/** @param gapMs - mean time between two calls */
export function planCalls(random: Random, first: number, count: number, gapMs: number): PlannedCall[] {
  let startAfterMs = 0
  return Array.from({ length: count }, (_, index) => {
    startAfterMs += random.between(0, gapMs * 2)
    const [fn, way] = random.pick(KINDS)
    return { n: first + index, fn, way, workMs: random.between(1, 500), startAfterMs }
  })
}

export interface Plan {
  deadlineMs: number
  calls: PlannedCall[]
}
