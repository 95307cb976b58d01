import { abortReason, onAbort } from '../../util/signals.ts'
import { WINDOW_ITEMS } from '../../model/attach.ts'

/** Counts what was sent and acknowledged on one stream, and makes the sender wait in between. */
export class SendWindow {
  #sent = 0
  #acknowledged = 0
  #wake: (() => void) | undefined

  /** Takes one place; waits while {@link WINDOW_ITEMS} items are unacknowledged. One sender at a time. */
  async take(signal: AbortSignal): Promise<void> {
    while (this.#sent - this.#acknowledged >= WINDOW_ITEMS) {
      await new Promise<void>((resolve, reject) => {
        const unlink = onAbort(signal, () => reject(abortReason(signal)))
        this.#wake = () => {
          unlink()
          resolve()
        }
      })
    }
    if (signal.aborted) throw abortReason(signal)
    this.#sent += 1
  }

  /** @param total - items that the receiver has consumed in all; a wrong number cannot open the window wider */
  acknowledge(total: unknown): void {
    if (typeof total !== 'number' || !(total > this.#acknowledged)) return
    this.#acknowledged = Math.min(total, this.#sent)
    this.#wake?.()
    this.#wake = undefined
  }
}
