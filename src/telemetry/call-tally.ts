/** A place in the call: made by this device, or run by it. */
export type Role = 'caller' | 'provider'

export interface Durations {
  /** Calls per bucket of {@link BUCKETS}, and those beyond the last. */
  readonly buckets: number[]
  /** Seconds of all of them. */
  sum: number
  count: number
}

/** Counts calls by role, function and code, and how long they took. Bounded, whatever the names are. */
export interface CallTally {
  /** @param code - of the error; undefined when the call returned */
  ended(role: Role, fn: string, code: string | undefined, durationMs: number): void
  counts(): Iterable<{ role: Role; fn: string; code: string; count: number }>
  durations: Readonly<Record<Role, Durations>>
}

/** Upper ends, in seconds. */
export const BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  300,
]
/** Functions of others that have numbers of their own; those beyond share `other`. */
const MAX_OTHER_FUNCTIONS = 100
/** The same for those of this device, which programs register and withdraw. */
const MAX_OWN_FUNCTIONS = 1_000
const OTHER = 'other'

/** @param isOwn - true for a function of this device */
export function createCallTally(isOwn: (fn: string) => boolean): CallTally {
  const counts = new Map<string, { role: Role; fn: string; code: string; count: number }>()
  const durations = { caller: noDurations(), provider: noDurations() }
  const label = createFunctionLabel(isOwn)
  return {
    durations,
    counts: () => counts.values(),
    ended(role, name, code = 'ok', durationMs) {
      const fn = label(name)
      const key = `${role} ${code} ${fn}`
      const entry = counts.get(key)
      if (entry === undefined) counts.set(key, { role, fn, code, count: 1 })
      else entry.count += 1
      const seconds = durationMs / 1_000
      const of = durations[role]
      let bucket = 0
      while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket += 1
      of.buckets[bucket] = (of.buckets[bucket] ?? 0) + 1
      of.sum += seconds
      of.count += 1
    },
  }
}

function noDurations(): Durations {
  return { buckets: Array.from({ length: BUCKETS.length + 1 }, () => 0), sum: 0, count: 0 }
}

/** Names come from programs, without end; the numbers of each take memory for good. */
function createFunctionLabel(isOwn: (fn: string) => boolean): (fn: string) => string {
  const own = new Set<string>()
  const others = new Set<string>()
  return (fn) => {
    if (own.has(fn) || others.has(fn)) return fn
    const [known, limit] = isOwn(fn) ? [own, MAX_OWN_FUNCTIONS] : [others, MAX_OTHER_FUNCTIONS]
    if (known.size >= limit) return OTHER
    known.add(fn)
    return fn
  }
}
