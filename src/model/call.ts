import type { EasyNetError, ErrorData } from '../errors/error.ts'
import type { Deadline } from '../util/signals.ts'
import type { Value } from './value.ts'

/** A device as people read it: its name and its peer id belong together. */
export interface PeerRef {
  peerId: string
  name: string
}

/** The form of a call's id. */
export const CALL_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** How the bytes of a call travel. `local`: the function runs on the caller's own device. */
export type CallPath = 'local' | 'direct' | 'relayed'

/** Milliseconds that a call may take when the caller says nothing. */
export const DEFAULT_CALL_TIMEOUT_MS = 60_000
/** Longest time that a caller can ask for. */
export const MAX_CALL_TIMEOUT_MS = 86_400_000

/** A call as a program states it. */
export interface CallRequest {
  /** Given by the program, so that it can ask for the call whatever breaks. @default one of the daemon's */
  id?: string
  /** Function address: `name`, `peer/name`, `name@^2`. */
  fn: string
  /** Positional arguments. */
  args: Value[]
  /** Arguments by name. */
  kwargs: Record<string, Value>
  /** Run it there and nowhere else: peer id or name. */
  peer?: string
  /** @default the daemon's `calls.defaultTimeoutMs` */
  timeoutMs?: number
  /** Most credits that the call may cost. */
  maxCost?: number
  /** The caller's own idempotency key: the same key runs the function at most once. */
  key?: string
  /** Inputs that follow, when the function reads a stream. */
  input?: AsyncIterable<Value>
  /** W3C trace context of the program, checked; see `model/trace.ts`. */
  traceparent?: string
}

export interface LogEntry {
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
}

/**
 * Where the parts of a running call go. `chunk` returns a promise when the reader needs time; call it
 * again when that has resolved.
 */
export interface CallSink {
  chunk(value: Value): Promise<void> | void
  progress(value: Value): void
  log(entry: LogEntry): void
}

/** An attempt that did not succeed, in the order they were made. */
export interface FailedAttempt {
  provider: PeerRef
  error: ErrorData
  durationMs: number
}

/** What a finished call returns to the program. */
export interface CallResult {
  id: string
  result: Value
  provider: PeerRef
  path: CallPath
  /** Attempts made, the successful one included. */
  attempts: number
  /** The attempts that failed before, if any. */
  failed: FailedAttempt[]
  durationMs: number
  /** Credits paid, a decimal. */
  cost: string
}

/**
 * What is known of a call. `done`: it returned. `failed`: it did not run, or ended with an error.
 * `interrupted`: it had started and was cut off. `unknown`: nobody can tell any more.
 */
export type CallState = 'running' | 'done' | 'failed' | 'interrupted' | 'unknown'

/** One call in the history of this device. */
export interface CallRecord {
  id: string
  fn: string
  role: 'caller' | 'provider'
  state: CallState
  /** The other device, once it is known. */
  peer?: PeerRef
  /** Whether the function may run twice, once a provider is known. */
  idempotent?: boolean
  startedAt: number
  endedAt?: number
  error?: ErrorData
  /** Present when the result is still kept. */
  result?: Value
}

/** One step of a call, on the clock of the device that called. */
export interface TimelineEntry {
  /** Epoch ms, with a fraction. */
  at: number
  where: 'app' | 'caller' | 'wire' | 'provider' | 'function'
  what: string
  /** The other device, where one takes part. */
  peer?: PeerRef
}

/** The steps of a call, as far as they are still remembered. */
export interface CallTimeline {
  traceparent: string
  timeline: TimelineEntry[]
}

/** What `GET /v1/calls/{id}` says. */
export type CallDetails = CallRecord & Partial<CallTimeline>

/** When the steps of a call happened at its provider: milliseconds after the call came. */
export interface ExecutionNotes {
  /** It had to wait for its place. */
  queued?: number
  started?: number
  ended?: number
  /** The end was on disk, where it has to be, and the answer left. */
  answered?: number
}

/** One call in the log that survives restarts. */
export interface LoggedCall {
  id: string
  fn: string
  /** The caller's own idempotency key. */
  key?: string | undefined
  /** What the key stands for: a digest of function and arguments. */
  digest?: string | undefined
  /** The device that runs it, once one was chosen. */
  peerId?: string | undefined
  peerName?: string | undefined
  /** Whether the function is idempotent there. */
  idempotent?: boolean | undefined
  state: CallState
  startedAt: number
  endedAt?: number | undefined
  error?: ErrorData | undefined
}

/**
 * How long ago a logged call started, by the wall clock. When that has been set back since, nobody knows: then
 * it is so long ago that no provider takes it for a call that never came.
 */
export function ageMs(startedAt: number, now: number): number {
  return startedAt <= now ? now - startedAt : MAX_CALL_TIMEOUT_MS
}

/** What the caller knows of the call that it asks about. */
export interface CallQuestion {
  id: string
  /** Milliseconds since it was sent: a provider does not remember for ever. */
  ageMs: number
  /** True when the function was not idempotent, so that the provider has journalled every run of it. */
  once: boolean
}

/**
 * What a provider says of a call that it is asked about. `never`: it has not started and never will, so
 * it may be sent again. `forgotten`: it may have run, longer ago than the provider remembers.
 * `interrupted`: it had started and was cut off.
 */
export type CallOutcome =
  | { state: 'done'; result: Value }
  | { state: 'failed'; error: EasyNetError }
  | { state: 'running' | 'interrupted' | 'never' | 'forgotten' }

/** A call as the function's side sees it. */
export interface Invocation {
  /** Unique per caller; the same id is never run twice. */
  id: string
  /** The function's name. */
  fn: string
  args: Value[]
  kwargs: Record<string, Value>
  input?: AsyncIterable<Value> | undefined
  caller: PeerRef
  /** Milliseconds left until the deadline, when this was made. */
  timeoutMs: number
  /** Ends on cancel and when the time is over. */
  deadline: Deadline
  /** The caller's trace context; absent when it is the one made of the id (`model/trace.ts`). */
  traceparent?: string | undefined
}

/**
 * Runs functions of one program: an attached app, a managed process, code in this process.
 * Resolves with the result, after all chunks went to `sink`.
 */
export interface FunctionRunner {
  run(invocation: Invocation, sink: CallSink): Promise<Value>
  /** Ends the program by force, when it ignores a cancel. Absent when nobody here owns the process. */
  kill?(reason: string): void
}
