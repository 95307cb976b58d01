import { EasyNetError } from '../errors/error.ts'
import { ageMs, type LoggedCall } from '../model/call.ts'
import type { Value } from '../model/value.ts'
import type { Clock } from '../util/clock.ts'
import type { Deadline } from '../util/signals.ts'
import { parseFunctionAddress } from '../model/address.ts'
import { pause } from './pause.ts'
import type { LocalCalls, ProviderDirectory, RemoteCalls } from './ports.ts'
import { askUntilKnown } from './verdict.ts'

export interface RecallComponents {
  selfId: string
  remote: Pick<RemoteCalls, 'ask'>
  local: Pick<LocalCalls, 'outcome'>
  directory: Pick<ProviderDirectory, 'nextProvider'>
  clock: Clock
}

/** True when the logged call surely never ran, so that its key is still free. */
export function neverRan({ state, error, peerId }: LoggedCall): boolean {
  return peerId === undefined || (state === 'failed' && error?.retryable === true)
}

/**
 * The outcome of an earlier call with the same idempotency key, which is never run again.
 *
 * @throws its error, `duplicate_call` when it ran and its result is no longer kept, `outcome_unknown`
 */
export async function recall(
  { selfId, remote, local, directory, clock }: RecallComponents,
  known: LoggedCall,
  deadline: Deadline,
): Promise<Value> {
  if (known.state === 'failed' || known.state === 'interrupted') {
    throw EasyNetError.fromData(
      known.error ?? { reason: 'interrupted', message: 'The first call was cut off.' },
    )
  }
  const peerId = known.peerId ?? selfId
  const { name: fn } = parseFunctionAddress(known.fn)
  const question = { id: known.id, ageMs: ageMs(known.startedAt, clock.now()), once: false }
  const ask = async (waitMs: number) =>
    peerId === selfId
      ? local.outcome(selfId, question, waitMs, deadline.signal)
      : remote.ask(peerId, question, waitMs, deadline.signal)
  try {
    const again = async (before: number) => pause(directory, fn, before, deadline.signal)
    return await askUntilKnown(ask, again, deadline)
  } catch (error) {
    const failure = EasyNetError.from(error)
    const isLost = failure.reason === 'outcome_unknown' || failure.notStarted
    if (known.state !== 'done' || !isLost || deadline.signal.aborted) throw failure
    throw new EasyNetError(
      'duplicate_call',
      'The first call with this key ran; its result is no longer kept.',
      {
        hint: 'Use a new key to run it again.',
      },
    )
  }
}
