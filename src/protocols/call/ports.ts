import type { Stream } from '@libp2p/interface'
import type { CallOutcome, CallQuestion, CallSink, Invocation, PeerRef } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import type { CallHeader } from './codec.ts'

// What this protocol needs from others; `daemon/` passes it in.

/** Opens streams to other devices. @throws `peer_unreachable` */
export type OpenStream = (peerId: string, protocol: string, signal: AbortSignal) => Promise<Stream>

/** A call that we make. */
export interface OutgoingCall extends CallHeader {
  /** True when the function is known to send chunks. */
  streams: boolean
  inputs: AsyncIterable<Value> | undefined
}

/** Runs functions for other devices. */
export interface CallExecutor {
  /**
   * What the transport has to know of a function before its arguments come.
   * @throws the refusal, when a call would be refused now
   */
  admit(fn: string, caller: PeerRef): { streams: boolean }
  /** @throws the refusal, or the function's own error */
  run(invocation: Invocation, sink: CallSink): Promise<Value>
  /** Waits up to `waitMs` for a call that still runs. */
  outcome(callerId: string, question: CallQuestion, waitMs: number, signal: AbortSignal): Promise<CallOutcome>
  /** The caller has the whole result. */
  delivered(callerId: string, callId: string): void
}
