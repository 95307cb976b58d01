import { abortReason, onAbort } from './signals.ts'

/**
 * A bounded queue between one writer and one reader, with back-pressure: `push` waits while it is
 * full. It ends with `end()`, or with `fail(error)`, which the reader gets after what was queued.
 */
export interface Channel<T> extends AsyncIterable<T> {
  /** Queues `item`; resolves when there is room for the next one. Dropped after the end. */
  push(item: T, signal?: AbortSignal): Promise<void>
  end(): void
  fail(error: Error): void
  /** Called once when the reader stops early (`break`, `return`). */
  onCancel?: () => void
}

/** @param capacity - items held before `push` waits. */
export function createChannel<T>(capacity: number): Channel<T> {
  const items: T[] = []
  let ended = false
  let failure: Error | undefined
  let wakeReader: (() => void) | undefined
  const waitingWriters: (() => void)[] = []

  const wake = (): void => {
    wakeReader?.()
    wakeReader = undefined
  }
  const finish = (error?: Error): void => {
    if (ended) return
    ended = true
    failure = error
    wake()
    for (const writer of waitingWriters.splice(0)) writer()
  }

  const channel: Channel<T> = {
    async push(item, signal) {
      if (ended) return
      items.push(item)
      wake()
      if (items.length < capacity) return
      await new Promise<void>((resolve, reject) => {
        const done = (): void => {
          unlink()
          resolve()
        }
        const unlink = onAbort(signal, () => reject(abortReason(signal)))
        waitingWriters.push(done)
      })
    },
    end: () => finish(),
    fail: (error) => finish(error),
    async *[Symbol.asyncIterator]() {
      let whole = false
      try {
        while (true) {
          if (items.length > 0) {
            const item = items.shift() as T
            if (items.length < capacity) waitingWriters.shift()?.()
            yield item
            continue
          }
          if (ended) {
            whole = true
            if (failure !== undefined) throw failure
            return
          }
          await new Promise<void>((resolve) => (wakeReader = resolve))
        }
      } finally {
        if (!whole) {
          finish()
          items.length = 0
          channel.onCancel?.()
        }
      }
    },
  }
  return channel
}
