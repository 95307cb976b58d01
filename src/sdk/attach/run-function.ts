import { EasyNetError } from '../../errors/error.ts'
import type { Deadline } from '../../util/signals.ts'
import type { RunnableFunction } from '../function-types.ts'

const MAX_MESSAGE = 2_000

/**
 * Runs a function to its end and passes on what it yields. Returns its (or its generator's) return value, at
 * once when there is nothing to wait for.
 */
export function drive(
  fn: RunnableFunction,
  parameters: readonly unknown[],
  deadline: Pick<Deadline, 'reason'>,
  emit: (chunk: unknown) => Promise<void>,
): unknown {
  const finish = (returned: unknown): unknown => {
    const iterator = iteratorOf(returned, fn.options.stream === true)
    return iterator === undefined ? fn.check(returned) : passOn(fn, iterator, deadline, emit)
  }
  const started = fn.invoke(parameters)
  return isThenable(started) ? Promise.resolve(started).then(finish) : finish(started)
}

/** True for what has to be awaited. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

async function passOn(
  fn: RunnableFunction,
  iterator: AsyncIterator<unknown> | Iterator<unknown>,
  deadline: Pick<Deadline, 'reason'>,
  emit: (chunk: unknown) => Promise<void>,
): Promise<unknown> {
  try {
    while (true) {
      const step = await iterator.next()
      if (step.done === true) return step.value
      if (deadline.reason !== undefined) throw deadline.reason
      await emit(await fn.check(step.value))
    }
  } catch (error) {
    await iterator.return?.()
    throw error
  }
}

/** Generators always stream; other iterables only when the function says so, since a list is a value. */
function iteratorOf(value: unknown, stream: boolean): AsyncIterator<unknown> | Iterator<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const isGenerator = 'next' in value && typeof value.next === 'function'
  if (!isGenerator && !stream) return undefined
  if (Symbol.asyncIterator in value) return (value as AsyncIterable<unknown>)[Symbol.asyncIterator]()
  if (Symbol.iterator in value) return (value as Iterable<unknown>)[Symbol.iterator]()
  return undefined
}

/**
 * What the caller is told of a failure. Whatever user code throws is a `function_error`, even an
 * `EasyNetError` of a nested call: its `retryable` speaks of that call, not of this one.
 */
export function errorOfFunction(error: unknown, { reason }: Pick<Deadline, 'reason'>): EasyNetError {
  if (reason !== undefined) return reason
  const message = error instanceof Error ? error.message : String(error)
  return new EasyNetError('function_error', message.slice(0, MAX_MESSAGE), { details: describe(error) })
}

function describe(error: unknown): Record<string, unknown> {
  if (error instanceof EasyNetError) return { name: error.name, reason: error.reason }
  return { name: error instanceof Error ? error.name : typeof error }
}
