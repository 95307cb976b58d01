import type { EasyNetError } from '../errors/error.ts'
import { approximateBytes, type Value } from '../model/value.ts'
import type { Clock } from '../util/clock.ts'

/** How a call ended. `void`: somebody asked for it before it came, and was told that it never will. */
export type Ending =
  { state: 'done'; result: Value } | { state: 'failed'; error: EasyNetError } | { state: 'void' }

/** Calls of this boot by caller and id, so that none runs twice and a lost answer can be fetched. */
export interface Outcomes {
  find(key: string): Ending | Promise<Ending> | undefined
  begin(key: string, ending: Promise<Ending>): void
  end(key: string, ending: Ending): void
  /** Takes back `begin` for a call that was refused. */
  forget(key: string): void
}

export interface OutcomesInit {
  clock: Clock
  /** @default 10_000 */
  maxEntries?: number
  /** Results kept together; the oldest go first. @default 268_435_456 */
  maxBytes?: number
  /** @default 600_000 */
  keepMs?: number
}

interface Kept {
  ending: Ending
  bytes: number
  until: number
}

export function createOutcomes(init: OutcomesInit): Outcomes {
  const maxEntries = init.maxEntries ?? 10_000
  const maxBytes = init.maxBytes ?? 268_435_456
  const keepMs = init.keepMs ?? 600_000
  const running = new Map<string, Promise<Ending>>()
  // Insertion order is age order.
  const kept = new Map<string, Kept>()
  let keptBytes = 0

  const drop = (key: string, entry: Kept): void => {
    kept.delete(key)
    keptBytes -= entry.bytes
  }
  const prune = (): void => {
    const now = init.clock.monotonic()
    for (const [key, entry] of kept) {
      if (kept.size <= maxEntries && keptBytes <= maxBytes && entry.until > now) return
      drop(key, entry)
    }
  }

  return {
    find: (key) => running.get(key) ?? kept.get(key)?.ending,
    begin: (key, ending) => void running.set(key, ending),
    end(key, ending) {
      running.delete(key)
      const bytes = ending.state === 'done' ? approximateBytes(ending.result) : 0
      kept.set(key, { ending, bytes, until: init.clock.monotonic() + keepMs })
      keptBytes += bytes
      prune()
    },
    forget: (key) => void running.delete(key),
  }
}
