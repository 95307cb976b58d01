/** Those who wait until a connection has written what it holds. */
export interface DrainWaiters {
  /** @param isNeedless - nothing waits to be written, or the connection is gone */
  wait(isNeedless: boolean): Promise<void>
  wake: () => void
  /** Wakes everybody, now and from now on. */
  close(): void
}

export function createDrainWaiters(): DrainWaiters {
  let waiting: (() => void)[] = []
  let isClosed = false
  const wake = (): void => {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }
  return {
    wait: (isNeedless) =>
      isClosed || isNeedless ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve)),
    wake,
    close() {
      isClosed = true
      wake()
    },
  }
}
