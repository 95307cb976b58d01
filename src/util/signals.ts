import { EasyNetError } from '../errors/error.ts'

/** Longest delay that a timer can hold (2^31 - 1 ms, about 24.8 days). */
const MAX_TIMER_MS = 2_147_483_647

/** Is told why a deadline has ended. An object: a closure for every call would cost more than its timer. */
export interface EndListener {
  ended(reason: EasyNetError): void
}

/** What ends a call: its time, its caller's cancel, or whoever runs it. */
export interface Deadline extends Disposable {
  /** Aborts with `deadline_exceeded` at the deadline, or with the reason of an earlier end. Made on demand. */
  readonly signal: AbortSignal
  /** Why it has ended; undefined until then. */
  readonly reason: EasyNetError | undefined
  /** Milliseconds left; never below 0. */
  remainingMs(): number
  /** Ends it before its time. */
  abort(reason: EasyNetError): void
  /** Tells `listener` once when it ends, at once when it has. */
  watch(listener: EndListener): void
  unwatch(listener: EndListener): void
}

/**
 * A deadline `timeoutMs` from now, which ends with an optional parent as well. Dispose it to free the timer.
 */
export function createDeadline(timeoutMs: number, parent?: AbortSignal | Deadline): Deadline {
  return new TimedDeadline(timeoutMs, parent)
}

class TimedDeadline implements Deadline, EndListener {
  reason: EasyNetError | undefined = undefined
  readonly #timeoutMs: number
  readonly #endsAt: number
  readonly #timer: NodeJS.Timeout
  readonly #parent: AbortSignal | Deadline | undefined
  #controller: AbortController | undefined = undefined
  /** Nearly always there is one. */
  #listener: EndListener | undefined = undefined
  #more: Set<EndListener> | undefined = undefined

  constructor(timeoutMs: number, parent: AbortSignal | Deadline | undefined) {
    this.#timeoutMs = timeoutMs
    this.#endsAt = performance.now() + timeoutMs
    this.#timer = setTimeout(expire, Math.min(Math.max(timeoutMs, 0), MAX_TIMER_MS), this)
    this.#parent = parent
    if (parent === undefined) return
    if ('watch' in parent) parent.watch(this)
    else if (parent.aborted) this.abort(abortReason(parent))
    else parent.addEventListener('abort', this, { once: true })
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.reason !== undefined) this.#controller.abort(this.reason)
    }
    return this.#controller.signal
  }

  remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  abort(reason: EasyNetError): void {
    if (this.reason !== undefined) return
    this.reason = reason
    const first = this.#listener
    const more = this.#more ?? []
    this.#listener = undefined
    this.#more = undefined
    this.#controller?.abort(reason)
    first?.ended(reason)
    for (const listener of more) listener.ended(reason)
  }

  expire(): void {
    this.abort(deadlineError(this.#timeoutMs))
  }

  watch(listener: EndListener): void {
    if (this.reason !== undefined) listener.ended(this.reason)
    else if (this.#listener === undefined) this.#listener = listener
    else (this.#more ??= new Set()).add(listener)
  }

  unwatch(listener: EndListener): void {
    if (this.#listener === listener) this.#listener = undefined
    else this.#more?.delete(listener)
  }

  /** The parent is a deadline. */
  ended(reason: EasyNetError): void {
    this.abort(reason)
  }

  /** The parent is a signal. */
  handleEvent(): void {
    this.abort(abortReason(this.#parent as AbortSignal))
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    const parent = this.#parent
    if (parent === undefined) return
    if ('watch' in parent) parent.unwatch(this)
    else parent.removeEventListener('abort', this)
  }
}

function expire(deadline: TimedDeadline): void {
  deadline.expire()
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
