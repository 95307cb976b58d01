// Stop 5 of 7 of a call: comes from scheduler/caller.ts, goes over the wire to handler.ts.
import { EasyNetError } from '../../errors/error.ts'
import type { CallOutcome, CallSink } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import { abortReason } from '../../util/signals.ts'
import { encodeCall } from './codec.ts'
import { CALL_PROTOCOL, MAX_SHARED_ARGS_BYTES, OPEN_TIMEOUT_MS } from './constants.ts'
import { askOnOwnStream, callOnOwnStream } from './own-stream.ts'
import type { OpenStream, OutgoingCall } from './ports.ts'
import { createSharedLink, type SharedLink } from './shared-link.ts'

export interface CallClient extends AsyncDisposable {
  /**
   * Runs a call on a peer. Rejects with the provider's error; with `peer_unreachable` when the call was
   * never sent; with `outcome_unknown` when the connection broke after it was sent.
   */
  call(peerId: string, call: OutgoingCall, sink: CallSink, signal: AbortSignal): Promise<Value>
  /** Asks a provider how a call ended, waiting up to `waitMs` for one that still runs. */
  ask(peerId: string, callId: string, waitMs: number, signal: AbortSignal): Promise<CallOutcome>
  /** Forgets the shared stream of a peer that is gone. */
  drop(peerId: string): void
}

export interface CallClientComponents {
  openStream: OpenStream
}

export function createCallClient({ openStream }: CallClientComponents): CallClient {
  const links = new Map<string, SharedLink>()

  const open = async (peerId: string, signal: AbortSignal) =>
    openStream(peerId, CALL_PROTOCOL, AbortSignal.any([signal, AbortSignal.timeout(OPEN_TIMEOUT_MS)]))

  const linkTo = (peerId: string): SharedLink => {
    let link = links.get(peerId)
    if (link === undefined || link.closed) {
      // The opening is shared by all calls that wait for it, so no single caller's signal ends it.
      link = createSharedLink(open(peerId, AbortSignal.timeout(OPEN_TIMEOUT_MS)))
      links.set(peerId, link)
    }
    return link
  }

  const ask: CallClient['ask'] = async (peerId, callId, waitMs, signal) =>
    askOnOwnStream(await open(peerId, signal), callId, waitMs, signal)

  return {
    async call(peerId, call, sink, signal) {
      if (signal.aborted) throw abortReason(signal)
      const encoded = encodeCall(call)
      // The shared stream has no place for blobs, of whatever size.
      const isSmall = encoded.bytes <= MAX_SHARED_ARGS_BYTES && encoded.blobs.length === 0
      if (call.streams || call.input || !isSmall) {
        return callOnOwnStream(await open(peerId, signal), call, encoded, sink, signal)
      }
      const answer = await linkTo(peerId).call(encoded, sink, signal)
      switch (answer.kind) {
        case 'result':
          return answer.value
        case 'own_stream':
          return callOnOwnStream(await open(peerId, signal), call, encoded, sink, signal)
        case 'stored':
          return resultOf(await ask(peerId, call.id, 0, signal))
      }
    },
    ask,
    drop(peerId) {
      links.get(peerId)?.close()
      links.delete(peerId)
    },
    async [Symbol.asyncDispose]() {
      for (const link of links.values()) link.close()
      links.clear()
    },
  }
}

function resultOf(outcome: CallOutcome): Value {
  if (outcome.state === 'done') return outcome.result
  if (outcome.state === 'failed') throw outcome.error
  throw new EasyNetError('outcome_unknown', 'The provider no longer has the result.')
}
