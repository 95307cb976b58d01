import type {
  CallOutcome,
  CallQuestion,
  CallPath,
  CallSink,
  Invocation,
  LoggedCall,
  PeerRef,
} from '../model/call.ts'
import type { Value } from '../model/value.ts'
import type { Deadline } from '../util/signals.ts'

// What the scheduler needs from others; `daemon/` passes it in.

/** A device that offers the function. */
export interface Candidate {
  peer: PeerRef
  path: CallPath
  /** Null until measured; 0 for this device. */
  rttMs: number | null
  streams: boolean
  idempotent: boolean
}

export interface ProviderDirectory {
  /** Devices known to offer it now. @param range - semver range */
  candidates(name: string, range: string | undefined): Candidate[]
  /** Asks the mesh; returns as soon as one is known. */
  discover(name: string, signal: AbortSignal): Promise<void>
  /** Resolves when the next provider of the function comes (back), or `signal` aborts. */
  nextProvider(name: string, signal: AbortSignal): Promise<void>
  /** The peer id behind an id or name. @throws `unknown_peer` */
  resolvePeer(idOrName: string): string
}

export interface OutgoingCall {
  id: string
  fn: string
  args: Value[]
  kwargs: Record<string, Value>
  timeoutMs: number
  input: boolean
  inputs: AsyncIterable<Value> | undefined
  streams: boolean
  traceparent?: string | undefined
}

export interface RemoteCalls {
  call(peerId: string, call: OutgoingCall, sink: CallSink, deadline: Deadline): Promise<Value>
  ask(peerId: string, question: CallQuestion, waitMs: number, signal: AbortSignal): Promise<CallOutcome>
}

export interface LocalCalls {
  run(invocation: Invocation, sink: CallSink): Promise<Value>
  outcome(callerId: string, question: CallQuestion, waitMs: number, signal: AbortSignal): Promise<CallOutcome>
}

export interface CallLog {
  /** Readers see it at once, and later changes of it too; resolves when it is on disk. */
  put(record: LoggedCall): Promise<void>
  /** The same, for what may be lost in a crash: it is on disk a little later, as it is then. */
  note(record: LoggedCall): void
  find(id: string): LoggedCall | undefined
  findByKey(key: string): LoggedCall | undefined
}

export type CallStep = 'chosen' | 'sent' | 'chunk' | 'answered' | 'failed' | 'ended'

export interface CallNotes {
  /** @param detail - the reason of a failure */
  add(step: CallStep, peer?: PeerRef, detail?: string): void
}

export interface CallObserver {
  /** What this returns is told of the steps. */
  started(call: LoggedCall, traceparent: string | undefined): CallNotes
  ended(call: LoggedCall, durationMs: number, path: CallPath | undefined): void
}
