import { EasyNetError, type ErrorData } from '../errors/error.ts'
import { approximateBytes, type Value } from '../model/value.ts'
import type { Clock } from '../util/clock.ts'

/** How a call ended. `void`: somebody asked for it before it came, and was told that it never will. */
export type Ending =
  { state: 'done'; result: Value } | { state: 'failed'; error: EasyNetError } | { state: 'void' }

/** Calls of this boot by caller and id, so that none runs twice and a lost answer can be fetched. */
export interface Outcomes {
  /** @param key - see {@link outcomeKey} */
  find(key: string): Ending | Promise<Ending> | undefined
  begin(key: string, ending: Promise<Ending>): void
  end(key: string, ending: Ending): void
  /** Takes back `begin` for a call that was refused. */
  forget(key: string): void
  /** From now on a call of this key is refused. */
  forbid(key: string): void
  /** The caller has the result; only that it ran is kept. */
  delivered(key: string): void
  /** True when every call of this boot that is not older is known here. */
  remembers(ageMs: number): boolean
  /** Peer ids of those whose calls run now. Looks at all of them. */
  callers(): Set<string>
}

export interface OutcomesInit {
  clock: Clock
  /** @default 10_000 */
  maxEntries?: number
  /** Bytes of all results. @default 536_870_912 */
  maxBytes?: number
  /** @default 600_000 */
  keepMs?: number
}

/** Smaller results stay, since a repeated question costs less than the bookkeeping. */
const MIN_RELEASED_BYTES = 64 * 1024

/** An error object holds its stack, and that whatever was at work: a stream with its buffers. So its data is kept. */
type KeptEnding = Exclude<Ending, { state: 'failed' }> | { state: 'failed'; error: ErrorData }

interface Kept {
  ending: KeptEnding
  bytes: number
  until: number
}

export function createOutcomes(init: OutcomesInit): Outcomes {
  const maxEntries = init.maxEntries ?? 10_000
  const maxBytes = init.maxBytes ?? 536_870_912
  const keepMs = init.keepMs ?? 600_000
  const running = new Map<string, Promise<Ending>>()
  // Insertion order is age order, here and in `keys`.
  const kept = new Map<string, Kept>()
  const callers = new Map<string, { keys: Set<string>; bytes: number }>()
  let keptBytes = 0
  let nextExpiryAt = 0
  /** Calls that ended before this instant may have been forgotten; at first those of earlier boots. */
  let forgottenUntil = init.clock.monotonic()

  const drop = (key: string): void => {
    const entry = kept.get(key)
    const caller = callers.get(callerIn(key))
    if (entry === undefined || caller === undefined) return
    kept.delete(key)
    keptBytes -= entry.bytes
    caller.keys.delete(key)
    caller.bytes -= entry.bytes
    if (caller.keys.size === 0) callers.delete(callerIn(key))
  }
  const keep = (key: string, entry: Kept): void => {
    drop(key)
    const caller = callers.get(callerIn(key)) ?? { keys: new Set(), bytes: 0 }
    callers.set(callerIn(key), caller)
    caller.keys.add(key)
    caller.bytes += entry.bytes
    kept.set(key, entry)
    keptBytes += entry.bytes
  }
  const prune = (): void => {
    const now = init.clock.monotonic()
    // Once a second and not at every call: a Map finds its oldest by stepping over all that were removed.
    if (now >= nextExpiryAt) {
      nextExpiryAt = now + keepMs / 600
      for (const [key, entry] of kept) {
        if (entry.until > now) break
        drop(key)
      }
    }
    if (kept.size > maxEntries) makeRoom(maxEntries - Math.floor(maxEntries / 10))
    else if (keptBytes > maxBytes) makeRoom(maxEntries)
  }
  /** The oldest of the caller that has most go first: a flood of calls or questions forgets its own. */
  const makeRoom = (entries: number): void => {
    while (kept.size > entries || keptBytes > maxBytes) {
      let heaviest: Set<string> | undefined
      let most = 0
      for (const { keys, bytes } of callers.values()) {
        const share = keys.size / maxEntries + bytes / maxBytes
        if (share <= most) continue
        most = share
        heaviest = keys
      }
      let left = Math.ceil((heaviest?.size ?? 0) / 10)
      for (const key of heaviest ?? []) {
        forgottenUntil = Math.max(forgottenUntil, (kept.get(key)?.until ?? 0) - keepMs)
        drop(key)
        left -= 1
        if (left === 0 || (kept.size <= entries && keptBytes <= maxBytes)) break
      }
    }
  }

  return {
    find: (key) => running.get(key) ?? restored(kept.get(key)?.ending),
    begin: (key, ending) => void running.set(key, ending),
    end(key, ending) {
      running.delete(key)
      const bytes = ending.state === 'done' ? approximateBytes(ending.result) : 0
      keep(key, { ending: withoutStack(ending), bytes, until: init.clock.monotonic() + keepMs })
      prune()
    },
    forget: (key) => void running.delete(key),
    forbid(key) {
      keep(key, { ending: { state: 'void' }, bytes: 0, until: init.clock.monotonic() + keepMs })
      prune()
    },
    delivered(key) {
      const entry = kept.get(key)
      if (entry === undefined || entry.bytes < MIN_RELEASED_BYTES) return
      keep(key, { ...entry, ending: DELIVERED, bytes: 0 })
    },
    callers: () => new Set(Array.from(running.keys(), callerIn)),
    remembers: (ageMs) => init.clock.monotonic() - ageMs > forgottenUntil && ageMs < keepMs,
  }
}

const DELIVERED = withoutStack({
  state: 'failed',
  error: new EasyNetError('duplicate_call', 'The call ran and its result was delivered; it is not kept.'),
})

function withoutStack(ending: Ending): KeptEnding {
  return ending.state === 'failed' ? { state: 'failed', error: ending.error.toJSON() } : ending
}

function restored(ending: KeptEnding | undefined): Ending | undefined {
  return ending?.state === 'failed' ? { state: 'failed', error: EasyNetError.fromData(ending.error) } : ending
}

/** The name under which a call is remembered. */
export function outcomeKey(callerId: string, callId: string): string {
  return `${callerId} ${callId}`
}

function callerIn(key: string): string {
  return key.slice(0, key.indexOf(' '))
}
