import { type Clock, systemClock } from './clock.ts'

/** A token bucket for each source. */
export interface RateLimit {
  /** Takes tokens. False, and nothing is taken, when the source has not so many left. @default 1 */
  take(source: string, tokens?: number): boolean
}

export interface RateLimitInit {
  perSecond: number
  /** Tokens that a source starts with and can save up. */
  burst: number
  /** Sources remembered; the one longest silent is forgotten first. @default 1_024 */
  maxSources?: number
  clock?: Clock
}

export function createRateLimit(init: RateLimitInit): RateLimit {
  const clock = init.clock ?? systemClock
  const maxSources = init.maxSources ?? 1_024
  const buckets = new Map<string, { tokens: number; at: number }>()
  return {
    take(source, wanted = 1) {
      const now = clock.monotonic()
      const bucket = buckets.get(source) ?? { tokens: init.burst, at: now }
      const refilled = bucket.tokens + ((now - bucket.at) / 1000) * init.perSecond
      const tokens = Math.min(init.burst, refilled)
      buckets.delete(source)
      buckets.set(source, { tokens: tokens >= wanted ? tokens - wanted : tokens, at: now })
      if (buckets.size > maxSources) {
        for (const oldest of buckets.keys()) {
          buckets.delete(oldest)
          break
        }
      }
      return tokens >= wanted
    },
  }
}
