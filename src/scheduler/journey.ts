import type { CallRequest, CallSink, FailedAttempt, LogEntry, LoggedCall } from '../model/call.ts'
import type { Value } from '../model/value.ts'
import type { Deadline } from '../util/signals.ts'
import type { CallNotes, Candidate } from './ports.ts'

export interface JourneyInit {
  request: CallRequest
  /** The function's name. */
  name: string
  /** Semver range of its version. */
  range: string | undefined
  /** Peer id of the only device that may run it. */
  onlyPeer: string | undefined
  deadline: Deadline
  record: LoggedCall
  notes: CallNotes
  /** The program that called. */
  sink: CallSink
}

/** A call on its way through attempts. What its provider sends passes through here. */
export class Journey implements CallSink {
  readonly request: CallRequest
  readonly name: string
  readonly range: string | undefined
  readonly onlyPeer: string | undefined
  readonly deadline: Deadline
  /** What is in the books; changes as the call goes on. */
  readonly record: LoggedCall
  readonly notes: CallNotes
  readonly #sink: CallSink
  /** The provider of the attempt that is made, or was made last. */
  candidate: Candidate | undefined = undefined
  readonly failed: FailedAttempt[] = []
  /** True once an attempt may have run, in whole or in part. */
  mayHaveRun = false
  /** True when it was idempotent where it was tried last. */
  mayRepeat = false
  /** Time that the last attempt was given: less than the caller's. */
  sentTimeoutMs = 0
  /** Chunks that the program has seen: from then on another attempt would repeat them. */
  chunksSeen = 0

  constructor(init: JourneyInit) {
    this.request = init.request
    this.name = init.name
    this.range = init.range
    this.onlyPeer = init.onlyPeer
    this.deadline = init.deadline
    this.record = init.record
    this.notes = init.notes
    this.#sink = init.sink
  }

  chunk(value: Value): Promise<void> | void {
    if (this.chunksSeen === 0) this.notes.add('chunk', this.candidate?.peer)
    this.chunksSeen += 1
    return this.#sink.chunk(value)
  }

  progress(value: Value): void {
    this.#sink.progress(value)
  }

  log(entry: LogEntry): void {
    this.#sink.log(entry)
  }
}
