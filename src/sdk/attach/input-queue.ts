import { EasyNetError } from '../../errors/error.ts'
import { ACK_EVERY_ITEMS, WINDOW_ITEMS } from '../../model/attach.ts'
import type { Value } from '../../model/value.ts'
import { type Channel, createChannel } from '../../util/channel.ts'
import type { Deadline, EndListener } from '../../util/signals.ts'

/** Inputs on their way to a function. To be read once. */
export class InputQueue implements EndListener {
  // Twice the window: a well-behaved daemon never fills it, so that `push` needs no waiting.
  readonly #items: Channel<Value> = createChannel(WINDOW_ITEMS * 2)
  readonly #acknowledge: (n: number) => void

  /** @param acknowledge - tells the daemon how many items the function has taken in all */
  constructor(deadline: Deadline, acknowledge: (n: number) => void) {
    this.#acknowledge = acknowledge
    deadline.watch(this)
  }

  push(value: Value): void {
    void this.#items.push(value)
  }

  /** @param error - data of what went wrong at the caller's */
  end(error: unknown): void {
    if (error === undefined || error === null) this.#items.end()
    else this.#items.fail(EasyNetError.fromData(error))
  }

  /** The run is to stop. */
  ended(reason: EasyNetError): void {
    this.#items.fail(reason)
  }

  /** Each item is acknowledged when the function asks for the one after it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Value> {
    let taken = 0
    for await (const item of this.#items) {
      yield item
      taken += 1
      if (taken % ACK_EVERY_ITEMS === 0) this.#acknowledge(taken)
    }
  }
}
