import { EasyNetError } from '../errors/error.ts'
import type { CallSink, FunctionRunner, Invocation } from '../model/call.ts'
import type { Value } from '../model/value.ts'
import { abortReason, onAbort } from '../util/signals.ts'

export interface GraceInit {
  graceMs: number
  /** Called once when the function has really ended: only then is its place free again. */
  onEnd: () => void
}

/**
 * Runs a function and answers at the abort at once, without waiting for it. A function that goes on
 * for `graceMs` after that is ended by force, where somebody owns its process.
 */
export function runWithGrace(
  runner: FunctionRunner,
  invocation: Invocation,
  sink: CallSink,
  { graceMs, onEnd }: GraceInit,
): Promise<Value> {
  const { signal } = invocation
  return new Promise((resolve, reject) => {
    let killTimer: NodeJS.Timeout | undefined
    const unlink = onAbort(signal, () => {
      killTimer = setTimeout(
        () => runner.kill?.(`"${invocation.fn}" ignored its cancel for ${graceMs} ms`),
        graceMs,
      )
      reject(abortReason(signal))
    })
    const end = (): void => {
      clearTimeout(killTimer)
      unlink()
      onEnd()
    }
    // Without effect when the signal was first: the caller has its answer then.
    start(runner, invocation, sink).then(
      (value) => {
        end()
        resolve(value)
      },
      (error: unknown) => {
        end()
        reject(error)
      },
    )
  })
}

async function start(runner: FunctionRunner, invocation: Invocation, sink: CallSink): Promise<Value> {
  try {
    // The caller left while the call waited for its place.
    if (invocation.signal.aborted) throw abortReason(invocation.signal)
    return await runner.run(invocation, sink)
  } catch (error) {
    if (error instanceof EasyNetError) throw error
    const { name, message } = error instanceof Error ? error : new Error(EasyNetError.from(error).message)
    throw new EasyNetError('function_error', message, { details: { name }, cause: error })
  }
}
