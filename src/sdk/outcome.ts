import { EasyNetError } from '../errors/error.ts'
import type { CallRecord } from '../model/call.ts'
import { raceSignal, sleep } from '../util/signals.ts'
import type { AttachConnection } from './attach/connection.ts'
import type { CallInfo } from './mesh-types.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000

/** What became of a call whose connection broke off. `again`: it may safely be made anew. */
export type Outcome = { info: CallInfo } | 'again'

/**
 * Finds out what became of a call whose connection broke off, without sending it again.
 *
 * @throws {@link EasyNetError} the call's own error · `interrupted` · `outcome_unknown`
 */
export async function findOutcome(
  id: string,
  ready: () => Promise<AttachConnection>,
  signal: AbortSignal,
  ownPeerId: string,
): Promise<Outcome> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    const connection = await ready()
    let state: CallRecord['state'] = 'unknown'
    try {
      const record = (await raceSignal(connection.request('outcome', { id }), signal)) as CallRecord
      const outcome = outcomeOf(record, ownPeerId)
      if (outcome !== undefined) return outcome
      state = record.state
    } catch (error) {
      if (EasyNetError.from(error).reason === 'unknown_call') return 'again'
      // It broke off once more: ask the next connection.
      if (connection.lost === undefined || error !== connection.lost) throw error
    }
    try {
      await sleep(waitMs, signal)
    } catch (error) {
      throw state === 'unknown' ? unknown('Nobody could tell in time whether the call ran.') : error
    }
  }
}

/** Undefined while it is not settled. */
function outcomeOf(record: CallRecord, ownPeerId: string): Outcome | undefined {
  const { id, state, peer, idempotent, startedAt, endedAt, error, result } = record
  if (state === 'running') return undefined
  if (state === 'done' && result !== undefined) {
    const info: CallInfo = {
      id,
      result,
      provider: peer ?? { peerId: '', name: '' },
      path: peer?.peerId === ownPeerId ? 'local' : 'direct',
      attempts: 1,
      failed: [],
      durationMs: (endedAt ?? startedAt) - startedAt,
      cost: '0',
      recovered: true,
    }
    return { info }
  }
  // Nothing ran, or what ran may run twice; what the function itself said is the answer.
  if (error?.retryable === true || (idempotent === true && state !== 'failed')) return 'again'
  if (error !== undefined) throw EasyNetError.fromData(error)
  if (state === 'unknown') return undefined
  if (state === 'done') throw unknown('The call finished, but its result is no longer kept.', { state })
  throw new EasyNetError('interrupted', 'The call had started and was cut off when the daemon ended.', {
    details: { id },
  })
}

/** It could be made anew, if the program still had what it streamed to the function. */
export function notMadeAnew(callId: string): EasyNetError {
  return new EasyNetError('interrupted', 'The daemon went away while the call ran.', { details: { callId } })
}

/** The daemon did not come back in time to say what became of a call that it had accepted. */
export function wentAway(id: string | undefined, cause: unknown): EasyNetError {
  if (id === undefined) return unknown('The daemon went away before it had accepted the call.')
  return new EasyNetError('daemon_unreachable', 'The daemon went away while the call ran.', {
    hint: `When it is back: easynet task show ${id}`,
    details: { callId: id },
    // It may well have run.
    retryable: false,
    cause,
  })
}

function unknown(message: string, details: Record<string, unknown> = {}): EasyNetError {
  return new EasyNetError('outcome_unknown', message, {
    hint: 'Look with: easynet task ls. Send it again only if running it twice does no harm.',
    details,
  })
}
