import { EasyNetError } from '../errors/error.ts'
import type { CallRecord } from '../model/call.ts'
import { raceSignal, sleep } from '../util/signals.ts'
import type { AttachConnection } from './attach/connection.ts'
import type { CallInfo } from './mesh-types.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2_000

/**
 * Finds out what became of a call whose connection broke off, without ever sending it again.
 *
 * @param id - undefined when the daemon had not accepted it yet
 * @throws {@link EasyNetError} the call's own error · `interrupted` · `outcome_unknown`
 */
export async function findOutcome(
  id: string | undefined,
  ready: () => Promise<AttachConnection>,
  signal: AbortSignal,
  ownPeerId: string,
): Promise<CallInfo> {
  if (id === undefined) throw wentAway(id, undefined)
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    const connection = await ready()
    try {
      const record = (await raceSignal(connection.request('outcome', { id }).answer, signal)) as CallRecord
      if (record.state !== 'running') return resultOf(record, ownPeerId)
    } catch (error) {
      // It broke off once more: ask the next connection.
      if (connection.lost === undefined || error !== connection.lost) throw error
    }
    await sleep(waitMs, signal)
  }
}

function resultOf(record: CallRecord, ownPeerId: string): CallInfo {
  const { id, state, peer, startedAt, endedAt, error, result } = record
  if (error !== undefined) throw EasyNetError.fromData(error)
  if (state === 'done' && result !== undefined) {
    return {
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
  }
  if (state === 'done') throw unknown('The call finished, but its result is no longer kept.', { state })
  if (state === 'unknown') throw unknown('Nobody can tell any more whether the call ran.')
  throw new EasyNetError('interrupted', 'The call had started and was cut off when the daemon ended.', {
    details: { id },
  })
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
