// Stop 5 of 7 of a call: comes from scheduler/caller.ts, goes over the wire to handler.ts.
import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../../errors/error.ts'
import type { CallOutcome, CallQuestion, CallSink } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import { createSemaphore, type Semaphore } from '../../util/semaphore.ts'
import { abortReason, type Deadline, raceSignal } from '../../util/signals.ts'
import { type EncodedValue, encodeCall } from './codec.ts'
import {
  CALL_PROTOCOL,
  MAX_OWN_STREAMS,
  MAX_QUESTIONS,
  MAX_SHARED_ARGS_BYTES,
  OPEN_TIMEOUT_MS,
} from './constants.ts'
import { askOnOwnStream, callOnOwnStream } from './own-stream.ts'
import type { OpenStream, OutgoingCall } from './ports.ts'
import { connectionLost, createSharedLink, OWN_STREAM, type SharedLink, STORED } from './shared-link.ts'

export interface CallClient extends AsyncDisposable {
  /**
   * Runs a call on a peer. Rejects with the provider's error; with an error that says `notStarted` when
   * the call was refused or never sent; with `outcome_unknown` when the connection broke after that.
   */
  call(peerId: string, call: OutgoingCall, sink: CallSink, deadline: Deadline): Promise<Value>
  /** Asks a provider how a call ended, waiting up to `waitMs` for one that still runs. */
  ask(peerId: string, question: CallQuestion, waitMs: number, signal: AbortSignal): Promise<CallOutcome>
  /** Forgets the shared stream of a peer that is gone. */
  drop(peerId: string): void
  /** Peers that run calls of ours now. */
  providers(): Set<string>
}

export interface CallClientComponents {
  openStream: OpenStream
}

/** Places for the streams to one peer, so that its limit is never hit. */
interface Places {
  calls: Semaphore
  questions: Semaphore
}

export function createCallClient({ openStream }: CallClientComponents): CallClient {
  const links = new Map<string, SharedLink>()
  const placesOf = new Map<string, Places>()

  /** Until a stream is open nothing was sent. */
  const open = async (peerId: string, signal?: AbortSignal): Promise<Stream> => {
    const timeout = AbortSignal.timeout(OPEN_TIMEOUT_MS)
    try {
      return await openStream(
        peerId,
        CALL_PROTOCOL,
        signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      )
    } catch (error) {
      if (signal?.aborted === true) throw abortReason(signal)
      if (!timeout.aborted) throw EasyNetError.from(error, 'peer_unreachable').asNotStarted()
      const message = `Peer ${peerId.slice(-8)} did not answer within ${OPEN_TIMEOUT_MS / 1000} s.`
      throw new EasyNetError('peer_unreachable', message, { cause: error, notStarted: true })
    }
  }
  const linkTo = (peerId: string): SharedLink => {
    let link = links.get(peerId)
    if (link === undefined || link.closed) {
      // The opening is shared by all calls that wait for it, so no single caller's signal ends it.
      link = createSharedLink(open(peerId))
      links.set(peerId, link)
    }
    return link
  }
  const places = (peerId: string): Places => {
    let found = placesOf.get(peerId)
    if (found === undefined) {
      found = { calls: createSemaphore(MAX_OWN_STREAMS), questions: createSemaphore(MAX_QUESTIONS) }
      placesOf.set(peerId, found)
    }
    return found
  }

  const callAlone = async (
    peerId: string,
    call: OutgoingCall,
    sink: CallSink,
    deadline: Deadline,
  ): Promise<Value> => {
    const { signal } = deadline
    using _ = await places(peerId).calls.acquire(signal)
    const stream = await open(peerId, signal)
    return await callOnOwnStream(stream, call, encodeNow(call, deadline), sink, signal)
  }
  const ask: CallClient['ask'] = async (peerId, question, waitMs, signal) => {
    using _ = await places(peerId).questions.acquire(signal)
    const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(waitMs) + OPEN_TIMEOUT_MS)])
    return await askOnOwnStream(await open(peerId, signal), { ...question, waitMs }, limit)
  }
  /** The function has run: whatever goes wrong from here on, the call must not be taken for unsent. */
  const fetchStored = async (peerId: string, id: string, signal: AbortSignal): Promise<Value> => {
    let outcome: CallOutcome
    try {
      outcome = await ask(peerId, { id, ageMs: 0, once: true }, 0, signal)
    } catch (error) {
      if (signal.aborted) throw abortReason(signal)
      throw connectionLost(error)
    }
    if (outcome.state === 'done') return outcome.result
    throw outcome.state === 'failed' ? outcome.error : connectionLost()
  }

  return {
    async call(peerId, call, sink, deadline) {
      if (deadline.reason !== undefined) throw deadline.reason
      let encoded = encodeCall(call)
      // The shared stream has no place for blobs, of whatever size.
      const isSmall = encoded.bytes <= MAX_SHARED_ARGS_BYTES && encoded.blobs.length === 0
      if (call.streams || call.input || !isSmall) {
        return callAlone(peerId, call, sink, deadline)
      }
      const link = linkTo(peerId)
      if (link.opening !== undefined) {
        await raceSignal(link.opening, deadline.signal)
        encoded = encodeNow(call, deadline)
      }
      const answer = await link.call(encoded, sink, deadline)
      if (answer === OWN_STREAM) return callAlone(peerId, call, sink, deadline)
      if (answer === STORED) return fetchStored(peerId, call.id, deadline.signal)
      return answer
    },
    ask,
    providers() {
      const busy = new Set<string>()
      for (const [peerId, link] of links) if (link.size > 0) busy.add(peerId)
      for (const [peerId, { calls }] of placesOf) if (!calls.idle) busy.add(peerId)
      return busy
    },
    drop(peerId) {
      links.get(peerId)?.close()
      links.delete(peerId)
      const left = placesOf.get(peerId)
      if (left?.calls.idle === true && left.questions.idle) placesOf.delete(peerId)
    },
    async [Symbol.asyncDispose]() {
      for (const link of links.values()) link.close()
      links.clear()
    },
  }
}

/** Opening the way took a part of the time: the provider gets what is left of it. */
function encodeNow(call: OutgoingCall, deadline: Deadline): EncodedValue {
  return encodeCall({ ...call, timeoutMs: Math.max(1, deadline.remainingMs()) })
}
