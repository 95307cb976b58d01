import { EasyNetError } from '../errors/error.ts'

/** Longest delay that a timer can hold (2^31 - 1 ms, about 24.8 days). */
const MAX_TIMER_MS = 2_147_483_647

export interface Deadline extends Disposable {
  /** Aborts with `deadline_exceeded` at the deadline, or with the parent's reason before. */
  readonly signal: AbortSignal
  /** Milliseconds left; never below 0. */
  remainingMs(): number
  /** Ends it before its time. */
  abort(reason: EasyNetError): void
}

/** A deadline `timeoutMs` from now, linked to an optional parent signal. Dispose it to free the timer. */
export function createDeadline(timeoutMs: number, parent?: AbortSignal): Deadline {
  const endsAt = performance.now() + timeoutMs
  const controller = new AbortController()
  const timer = setTimeout(
    () => controller.abort(deadlineError(timeoutMs)),
    Math.min(Math.max(timeoutMs, 0), MAX_TIMER_MS),
  )
  const unlink = onAbort(parent, () => controller.abort(abortReason(parent)))
  return {
    signal: controller.signal,
    remainingMs: () => Math.max(0, endsAt - performance.now()),
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]() {
      clearTimeout(timer)
      unlink()
    },
  }
}

/** Runs `listener` once when `signal` aborts (at once if it has). Returns a function that unlinks it. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {}
  if (signal.aborted) {
    listener()
    return () => {}
  }
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

/** The error to report for an aborted signal: its own reason when that is ours, else `cancelled`. */
export function abortReason(signal: AbortSignal | undefined): EasyNetError {
  const reason: unknown = signal?.reason
  if (reason instanceof EasyNetError) return reason
  if (reason instanceof Error && reason.name === 'TimeoutError') return deadlineError()
  return new EasyNetError('cancelled', 'The call was cancelled.', { cause: reason })
}

/** The error of a deadline that has passed. */
export function deadlineError(timeoutMs?: number): EasyNetError {
  if (timeoutMs === undefined) return new EasyNetError('deadline_exceeded', 'No answer came in time.')
  const rounded = Math.round(timeoutMs)
  return new EasyNetError('deadline_exceeded', `No answer came within ${rounded} ms.`, {
    details: { timeoutMs: rounded },
  })
}

/** Waits `delayMs`; rejects with the signal's reason when it aborts first. */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal))
    const timer = setTimeout(
      () => {
        unlink()
        resolve()
      },
      Math.min(delayMs, MAX_TIMER_MS),
    )
    const unlink = onAbort(signal, () => {
      clearTimeout(timer)
      reject(abortReason(signal))
    })
  })
}

/** `promise`, or the signal's reason as a rejection when it aborts first. */
export function raceSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const unlink = onAbort(signal, () => reject(abortReason(signal)))
    promise.then(
      (value) => {
        unlink()
        resolve(value)
      },
      (error: unknown) => {
        unlink()
        reject(error)
      },
    )
  })
}
