import { EasyNetError } from '../../errors/error.ts'
import { ACK_EVERY_ITEMS, WINDOW_ITEMS } from '../../model/attach.ts'

/** The sender's half of the back-pressure of one stream: counts what nobody has acknowledged yet. */
export interface SendWindow {
  /** Claims room for one item; returns a promise when there is none now. */
  claim(): Promise<void> | undefined
  /** The receiver has consumed `n` items in all. @throws `protocol_violation` */
  acknowledge(n: unknown): void
  /** Rejects whoever waits, and every later claim. */
  close(error: EasyNetError): void
}

export function createSendWindow(size: number = WINDOW_ITEMS): SendWindow {
  let sent = 0
  let acknowledged = 0
  let failure: EasyNetError | undefined
  const waiting: { resolve: () => void; reject: (error: EasyNetError) => void }[] = []
  return {
    claim() {
      if (failure !== undefined) return Promise.reject(failure)
      if (waiting.length === 0 && sent - acknowledged < size) {
        sent += 1
        return undefined
      }
      return new Promise((resolve, reject) => void waiting.push({ resolve, reject }))
    },
    acknowledge(n) {
      if (!Number.isSafeInteger(n) || (n as number) > sent) {
        throw new EasyNetError('protocol_violation', 'More items were acknowledged than were sent.')
      }
      acknowledged = Math.max(acknowledged, n as number)
      while (waiting.length > 0 && sent - acknowledged < size) {
        sent += 1
        waiting.shift()?.resolve()
      }
    },
    close(error) {
      failure = error
      for (const { reject } of waiting.splice(0)) reject(error)
    },
  }
}

/** The receiver's half: hands items on one by one and acknowledges what was taken. */
export interface ReceiveWindow<T> {
  /** @throws `protocol_violation` when the sender did not wait for its acknowledgements */
  accept(item: T): void
  /** Runs `listener` when everything accepted so far was taken: at once when that is so already. */
  whenTaken(listener: () => void): void
}

/**
 * @param consume - takes one item; a returned promise says when it wants the next. After it has failed
 *   further items are dropped, and acknowledged, so that the sender does not wait for nothing
 * @param acknowledge - sends the number of items consumed in all
 */
export function createReceiveWindow<T>(
  consume: (item: T) => Promise<void> | void,
  acknowledge: (n: number) => void,
): ReceiveWindow<T> {
  const queue: T[] = []
  let received = 0
  let consumed = 0
  let acknowledged = 0
  let isBusy = false
  let isDropping = false
  const waiting: (() => void)[] = []

  const taken = (): void => {
    consumed += 1
    if (consumed - acknowledged < ACK_EVERY_ITEMS) return
    acknowledged = consumed
    acknowledge(consumed)
  }
  const drop = (): void => {
    isDropping = true
  }
  const take = (item: T): Promise<void> | void => {
    if (isDropping) return
    try {
      return consume(item)
    } catch {
      // The consumer is gone; the call it belonged to reports why.
      drop()
    }
  }
  const pump = (): void => {
    while (!isBusy && queue.length > 0) {
      const pending = take(queue.shift() as T)
      if (pending === undefined) {
        taken()
        continue
      }
      isBusy = true
      pending.catch(drop).then(() => {
        isBusy = false
        taken()
        pump()
      }, drop)
    }
    if (isBusy || waiting.length === 0) return
    for (const listener of waiting.splice(0)) listener()
  }

  return {
    accept(item) {
      if (received - acknowledged >= WINDOW_ITEMS) {
        throw new EasyNetError('protocol_violation', `More than ${WINDOW_ITEMS} items came unacknowledged.`)
      }
      received += 1
      queue.push(item)
      pump()
    },
    whenTaken(listener) {
      if (!isBusy && queue.length === 0) listener()
      else waiting.push(listener)
    },
  }
}
