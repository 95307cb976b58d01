import { EasyNetError } from '../errors/error.ts'
import type { CallSink, FunctionRunner, Invocation } from '../model/call.ts'
import type { Value } from '../model/value.ts'
import type { EndListener } from '../util/signals.ts'

export interface GraceInit {
  graceMs: number
  /** Called once when the function has really ended: only then is its place free again. */
  onEnd: () => void
}

/**
 * Runs a function and answers at the end of its deadline at once, without waiting for it. A function that
 * goes on for `graceMs` after that is ended by force, where somebody owns its process.
 */
export function runWithGrace(
  runner: FunctionRunner,
  invocation: Invocation,
  sink: CallSink,
  init: GraceInit,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const run = new Run(runner, invocation, init, resolve, reject)
    invocation.deadline.watch(run)
    run.start(sink)
  })
}

class Run implements EndListener {
  readonly #runner: FunctionRunner
  readonly #invocation: Invocation
  readonly #init: GraceInit
  readonly #resolve: (value: Value) => void
  readonly #reject: (error: EasyNetError) => void
  #killTimer: NodeJS.Timeout | undefined = undefined

  constructor(
    runner: FunctionRunner,
    invocation: Invocation,
    init: GraceInit,
    resolve: (value: Value) => void,
    reject: (error: EasyNetError) => void,
  ) {
    this.#runner = runner
    this.#invocation = invocation
    this.#init = init
    this.#resolve = resolve
    this.#reject = reject
  }

  start(sink: CallSink): void {
    const { reason } = this.#invocation.deadline
    // The caller left while the call waited for its place.
    if (reason !== undefined) return this.#fail(reason)
    try {
      this.#runner.run(this.#invocation, sink).then(
        (value) => this.#return(value),
        (error: unknown) => this.#fail(error),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The deadline has ended; the function may not have. */
  ended(reason: EasyNetError): void {
    const { graceMs } = this.#init
    const why = `"${this.#invocation.fn}" ignored its cancel for ${graceMs} ms`
    this.#killTimer = setTimeout(() => this.#runner.kill?.(why), graceMs)
    this.#reject(reason)
  }

  #return(value: Value): void {
    this.#end()
    // Without effect when the deadline was first: the caller has its answer then.
    this.#resolve(value)
  }

  #fail(error: unknown): void {
    this.#end()
    this.#reject(error instanceof EasyNetError ? error : functionError(error))
  }

  #end(): void {
    clearTimeout(this.#killTimer)
    this.#invocation.deadline.unwatch(this)
    this.#init.onEnd()
  }
}

function functionError(error: unknown): EasyNetError {
  const { name, message } = error instanceof Error ? error : new Error(EasyNetError.from(error).message)
  return new EasyNetError('function_error', message, { details: { name }, cause: error })
}
