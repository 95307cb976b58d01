import type { PeerRef } from '../model/call.ts'
import { traceparentOf } from '../model/trace.ts'
import type { Clock } from '../util/clock.ts'

interface Note {
  /** On the monotonic clock. */
  at: number
  step: string
  peer: PeerRef | undefined
  detail: string | undefined
}

/** The steps of one call, noted by the device that makes it. */
export class CallNotes {
  readonly id: string
  /** The same instant on the monotonic clock and, as epoch ms, on that of the wall. */
  readonly startedAt: number
  readonly startedOn: number
  readonly notes: Note[] = []
  private readonly clock: Clock
  private readonly given: string | undefined

  constructor(id: string, traceparent: string | undefined, clock: Clock) {
    this.id = id
    this.given = traceparent
    this.clock = clock
    this.startedAt = clock.monotonic()
    this.startedOn = clock.now()
  }

  get traceparent(): string {
    return this.given ?? traceparentOf(this.id)
  }

  add(step: string, peer?: PeerRef, detail?: string): void {
    this.notes.push({ at: this.clock.monotonic(), step, peer, detail })
  }
}
