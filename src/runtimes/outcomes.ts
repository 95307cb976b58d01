import { EasyNetError, type ErrorData } from '../errors/error.ts'
import { approximateBytes, type Value } from '../model/value.ts'
import type { Clock } from '../util/clock.ts'

/** How a call ended. `void`: somebody asked for it before it came, and was told that it never will. */
export type Ending =
  { state: 'done'; result: Value } | { state: 'failed'; error: EasyNetError } | { state: 'void' }

/** Calls of this boot by caller and id, so that none runs twice and a lost answer can be fetched. */
export interface Outcomes {
  find(callerId: string, callId: string): Ending | Promise<Ending> | undefined
  begin(callerId: string, callId: string, ending: Promise<Ending>): void
  end(callerId: string, callId: string, ending: Ending): void
  /** Takes back `begin` for a call that was refused. */
  forget(callerId: string, callId: string): void
  /** From now on this call is refused. */
  forbid(callerId: string, callId: string): void
  /** The caller has the result; only that it ran is kept. */
  delivered(callerId: string, callId: string): void
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

/** A call that runs, or has ended. */
class Outcome {
  /** Undefined once it has ended. */
  running: Promise<Ending> | undefined
  kept: KeptEnding | undefined = undefined
  bytes = 0
  /** On the monotonic clock. */
  until = Infinity

  constructor(running: Promise<Ending> | undefined) {
    this.running = running
  }
}

/** The calls of one caller. */
interface CallerOutcomes {
  /** In the order they came. */
  calls: Map<string, Outcome>
  running: number
  /** Of the results that are kept. */
  bytes: number
}

export function createOutcomes(init: OutcomesInit): Outcomes {
  const maxEntries = init.maxEntries ?? 10_000
  const maxBytes = init.maxBytes ?? 536_870_912
  const keepMs = init.keepMs ?? 600_000
  const callers = new Map<string, CallerOutcomes>()
  let keptEntries = 0
  let keptBytes = 0
  let nextExpiryAt = 0
  /** Calls that ended before this instant may have been forgotten; at first those of earlier boots. */
  let forgottenUntil = init.clock.monotonic()

  const outcomesOf = (callerId: string): CallerOutcomes => {
    let caller = callers.get(callerId)
    if (caller === undefined) {
      caller = { calls: new Map(), running: 0, bytes: 0 }
      callers.set(callerId, caller)
    }
    return caller
  }
  const keep = (caller: CallerOutcomes, outcome: Outcome, kept: KeptEnding, bytes: number): void => {
    if (outcome.running !== undefined) caller.running -= 1
    if (outcome.kept === undefined) keptEntries += 1
    caller.bytes += bytes - outcome.bytes
    keptBytes += bytes - outcome.bytes
    outcome.running = undefined
    outcome.kept = kept
    outcome.bytes = bytes
  }
  const drop = (caller: CallerOutcomes, callId: string, outcome: Outcome): void => {
    caller.calls.delete(callId)
    caller.bytes -= outcome.bytes
    keptEntries -= 1
    keptBytes -= outcome.bytes
  }
  const prune = (now: number): void => {
    // Once a second and not at every call: a Map finds its oldest by stepping over all that were removed.
    if (now >= nextExpiryAt) {
      nextExpiryAt = now + keepMs / 600
      for (const [callerId, caller] of callers) dropExpired(callerId, caller, now)
    }
    if (keptEntries > maxEntries) makeRoom(maxEntries - Math.floor(maxEntries / 10))
    else if (keptBytes > maxBytes) makeRoom(maxEntries)
  }
  const dropExpired = (callerId: string, caller: CallerOutcomes, now: number): void => {
    for (const [callId, outcome] of caller.calls) {
      if (outcome.running !== undefined) continue
      // One that ran long keeps those that came after it a little longer.
      if (outcome.until > now) break
      drop(caller, callId, outcome)
    }
    if (caller.calls.size === 0) callers.delete(callerId)
  }
  /** The oldest of the caller that has most go first: a flood of calls or questions forgets its own. */
  const makeRoom = (entries: number): void => {
    while (keptEntries > entries || keptBytes > maxBytes) {
      let heaviest: CallerOutcomes | undefined
      let most = 0
      for (const caller of callers.values()) {
        const share = (caller.calls.size - caller.running) / maxEntries + caller.bytes / maxBytes
        if (share <= most) continue
        most = share
        heaviest = caller
      }
      if (heaviest === undefined) return
      let left = Math.ceil((heaviest.calls.size - heaviest.running) / 10)
      for (const [callId, outcome] of heaviest.calls) {
        if (outcome.running !== undefined) continue
        forgottenUntil = Math.max(forgottenUntil, outcome.until - keepMs)
        drop(heaviest, callId, outcome)
        left -= 1
        if (left === 0 || (keptEntries <= entries && keptBytes <= maxBytes)) break
      }
    }
  }
  const end = (callerId: string, callId: string, kept: KeptEnding, bytes: number): void => {
    const caller = outcomesOf(callerId)
    let outcome = caller.calls.get(callId)
    if (outcome === undefined) caller.calls.set(callId, (outcome = new Outcome(undefined)))
    keep(caller, outcome, kept, bytes)
    const now = init.clock.monotonic()
    outcome.until = now + keepMs
    prune(now)
  }

  return {
    find(callerId, callId) {
      const outcome = callers.get(callerId)?.calls.get(callId)
      return outcome?.running ?? restored(outcome?.kept)
    },
    begin(callerId, callId, ending) {
      const caller = outcomesOf(callerId)
      const earlier = caller.calls.get(callId)
      if (earlier?.kept !== undefined) drop(caller, callId, earlier)
      caller.calls.set(callId, new Outcome(ending))
      caller.running += 1
    },
    end: (callerId, callId, ending) =>
      end(
        callerId,
        callId,
        withoutStack(ending),
        ending.state === 'done' ? approximateBytes(ending.result) : 0,
      ),
    forget(callerId, callId) {
      const caller = callers.get(callerId)
      if (caller?.calls.get(callId)?.running === undefined) return
      caller.calls.delete(callId)
      caller.running -= 1
    },
    forbid: (callerId, callId) => end(callerId, callId, { state: 'void' }, 0),
    delivered(callerId, callId) {
      const caller = callers.get(callerId)
      const outcome = caller?.calls.get(callId)
      if (caller === undefined || outcome === undefined || outcome.bytes < MIN_RELEASED_BYTES) return
      keep(caller, outcome, DELIVERED, 0)
    },
    callers: () =>
      new Set([...callers].flatMap(([callerId, { running }]) => (running > 0 ? [callerId] : []))),
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
