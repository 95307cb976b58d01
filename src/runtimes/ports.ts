import type { EasyNetError, ErrorData } from '../errors/error.ts'
import type { Invocation } from '../model/call.ts'
import type { ExecutionTimes } from './execution-times.ts'

// What the executor needs from others; `daemon/` passes it in.

/** Remembers across restarts which calls ran, for functions that must not run twice. */
export interface ExecutionJournal {
  /** Durable when it resolves. `'started'`: it may run now. */
  start(entry: { caller: string; id: string; fn: string }): Promise<'started' | JournalRecord>
  /** Durable when it resolves; when it rejects with `storage_failed`, `find` knows it all the same. */
  finish(
    caller: string,
    id: string,
    outcome: { state: 'done'; result?: Uint8Array } | { state: 'failed' | 'interrupted'; error: ErrorData },
  ): Promise<void>
  find(caller: string, id: string): JournalRecord | undefined
  /** True when a call that is not found, and would be no older than `ageMs`, has surely never started here. */
  remembers(ageMs: number): boolean
}

export interface JournalRecord {
  state: 'started' | 'done' | 'failed' | 'interrupted'
  result?: Uint8Array
  error?: ErrorData
}

export interface ExecutionObserver {
  /** A call has come, and may have to wait. The times are filled in as it goes on. */
  received(times: ExecutionTimes): void
  started(invocation: Invocation): void
  ended(invocation: Invocation, durationMs: number, error: ErrorData | undefined): void
  /** How a call ended could not be written to the journal yet. */
  unwritten(callId: string, error: EasyNetError): void
}
