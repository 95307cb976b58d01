import type { ExecutionNotes } from '../model/call.ts'

/** When the steps of one run happened, on the monotonic clock. One small object per call: all are kept a while. */
export class ExecutionTimes {
  readonly caller: string
  readonly id: string
  readonly receivedAt: number
  queuedAt: number | undefined = undefined
  startedAt: number | undefined = undefined
  endedAt: number | undefined = undefined
  answeredAt: number | undefined = undefined

  constructor(caller: string, id: string, receivedAt: number) {
    this.caller = caller
    this.id = id
    this.receivedAt = receivedAt
  }

  /** For another device, whose clock is not ours. */
  notes(): ExecutionNotes {
    const notes: ExecutionNotes = {}
    const { receivedAt, queuedAt, startedAt, endedAt, answeredAt } = this
    if (queuedAt !== undefined) notes.queued = queuedAt - receivedAt
    if (startedAt !== undefined) notes.started = startedAt - receivedAt
    if (endedAt !== undefined) notes.ended = endedAt - receivedAt
    if (answeredAt !== undefined) notes.answered = answeredAt - receivedAt
    return notes
  }
}
