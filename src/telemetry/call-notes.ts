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

/**
 * The steps of one call, noted by the device that makes it. Thousands are kept, nearly all with the same
 * four steps: these are numbers, and only what else happens makes a list.
 */
export class CallNotes {
  readonly id: string
  /** The same instant on the monotonic clock and, as epoch ms, on that of the wall. */
  readonly startedAt: number
  readonly startedOn: number
  readonly #clock: Clock
  readonly #given: string | undefined
  #chosenAt = Number.NaN
  #sentAt = Number.NaN
  #answeredAt = Number.NaN
  #endedAt = Number.NaN
  #peer: PeerRef | undefined = undefined
  #all: Note[] | undefined = undefined

  constructor(id: string, traceparent: string | undefined, clock: Clock) {
    this.id = id
    this.#given = traceparent
    this.#clock = clock
    this.startedAt = clock.monotonic()
    this.startedOn = clock.now()
  }

  get traceparent(): string {
    return this.#given ?? traceparentOf(this.id)
  }

  /** In the order they came. */
  get notes(): readonly Note[] {
    return this.#all ?? this.#plainSteps()
  }

  add(step: string, peer?: PeerRef, detail?: string): void {
    const at = this.#clock.monotonic()
    if (this.#all === undefined && this.#takePlain(at, step, peer)) return
    this.#all ??= this.#plainSteps()
    this.#all.push({ at, step, peer, detail })
  }

  #takePlain(at: number, step: string, peer: PeerRef | undefined): boolean {
    if (step === 'chosen' && Number.isNaN(this.#chosenAt)) {
      this.#chosenAt = at
      this.#peer = peer
    } else if (step === 'sent' && Number.isNaN(this.#sentAt) && peer === this.#peer) this.#sentAt = at
    else if (step === 'answered' && peer === this.#peer) this.#answeredAt = at
    else if (step === 'ended') this.#endedAt = at
    else return false
    return true
  }

  #plainSteps(): Note[] {
    const peer = this.#peer
    const steps: Note[] = [
      { at: this.#chosenAt, step: 'chosen', peer, detail: undefined },
      { at: this.#sentAt, step: 'sent', peer, detail: undefined },
      { at: this.#answeredAt, step: 'answered', peer, detail: undefined },
      { at: this.#endedAt, step: 'ended', peer: undefined, detail: undefined },
    ]
    return steps.filter(({ at }) => !Number.isNaN(at))
  }
}
