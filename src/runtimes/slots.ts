import { EasyNetError } from '../errors/error.ts'
import type { FunctionDescriptor } from '../model/function.ts'
import type { Deadline, EndListener } from '../util/signals.ts'

/** Places of one function: how many of its calls run, and how many wait. */
export interface Slots {
  /** Refuses when the queue is full. @throws `queue_full` */
  check(): void
  /**
   * Takes a place: undefined when one is free now, else a promise for one. Release it exactly once.
   * @throws `queue_full`
   */
  acquire(deadline: Deadline): Promise<void> | undefined
  release(): void
}

export function createSlots({ name, maxConcurrent, maxQueue }: FunctionDescriptor): Slots {
  let running = 0
  const waiting: (() => void)[] = []

  const check = (): void => {
    if (running < maxConcurrent || waiting.length < maxQueue) return
    throw new EasyNetError('queue_full', `"${name}" is busy: ${running} run and ${waiting.length} wait.`, {
      details: { running, waiting: waiting.length, maxConcurrent, maxQueue },
      notStarted: true,
      hint: 'Try again later, or start the function on another device as well.',
    })
  }

  return {
    check,
    acquire(deadline) {
      check()
      if (running < maxConcurrent) {
        running += 1
        return undefined
      }
      return new Promise<void>((resolve, reject) => {
        const start = (): void => {
          deadline.unwatch(left)
          resolve()
        }
        const left: EndListener = {
          ended(reason) {
            const place = waiting.indexOf(start)
            if (place !== -1) waiting.splice(place, 1)
            reject(reason)
          },
        }
        deadline.watch(left)
        if (deadline.reason === undefined) waiting.push(start)
      })
    },
    release() {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    },
  }
}
