import { EasyNetError } from '../errors/error.ts'
import type { CallSink, FunctionRunner, Invocation, PeerRef } from '../model/call.ts'
import { traceparentOf } from '../model/trace.ts'
import { detachBlobs, type Value } from '../model/value.ts'
import { abortReason } from '../util/signals.ts'

/** What a function in this process is told of its call. */
export interface LocalContext {
  callId: string
  caller: PeerRef
  /** W3C trace context. */
  traceparent: string
  /** Aborts on cancel and at the deadline. */
  signal: AbortSignal
  /** Inputs of a client stream; empty for other functions. */
  input: AsyncIterable<Value>
  progress(value: Value): void
  log(message: string): void
}

/** A function of this process: gets the positional arguments, then the context. */
export type LocalFunction = (...args: never[]) => unknown

/** Runs functions of this process; generators send chunks. */
export function createLocalRunner(functions: ReadonlyMap<string, LocalFunction>): FunctionRunner {
  return {
    async run(invocation, sink) {
      const run = functions.get(invocation.fn) as ((...args: unknown[]) => unknown) | undefined
      if (run === undefined) throw new Error(`no function "${invocation.fn}"`)
      const given =
        Object.keys(invocation.kwargs).length > 0 ? [...invocation.args, invocation.kwargs] : invocation.args
      try {
        const returned = run(...given, contextOf(invocation, sink))
        return toValue(isGenerator(returned) ? await drain(returned, invocation, sink) : await returned)
      } catch (error) {
        throw functionError(error, invocation)
      }
    },
  }
}

async function drain(
  generator: AsyncGenerator<unknown, unknown> | Generator<unknown, unknown>,
  { signal }: Invocation,
  sink: CallSink,
): Promise<unknown> {
  while (true) {
    const step = await generator.next()
    if (step.done === true) return step.value
    if (signal.aborted) {
      await generator.return(undefined)
      throw signal.reason
    }
    await sink.chunk(toValue(step.value))
  }
}

function isGenerator(
  value: unknown,
): value is AsyncGenerator<unknown, unknown> | Generator<unknown, unknown> {
  if (typeof value !== 'object' || value === null || !('next' in value)) return false
  return Symbol.asyncIterator in value || Symbol.iterator in value
}

function contextOf(invocation: Invocation, sink: CallSink): LocalContext {
  const { id, caller, signal, input, traceparent } = invocation
  return {
    callId: id,
    caller,
    traceparent: traceparent ?? traceparentOf(id),
    signal,
    input: input ?? noInput(),
    progress: (value) => sink.progress(value),
    log: (message) => sink.log({ level: 'info', message }),
  }
}

async function* noInput(): AsyncGenerator<Value> {}

/** Whatever a function throws is its own error: that of a nested call says nothing about this one. */
function functionError(error: unknown, { signal }: Invocation): EasyNetError {
  if (signal.aborted) return abortReason(signal)
  const { name, message } = error instanceof Error ? error : new Error(EasyNetError.from(error).message)
  const reason = error instanceof EasyNetError ? { reason: error.reason } : {}
  return new EasyNetError('function_error', message, { details: { name, ...reason }, cause: error })
}

/** A plain copy: what cannot travel is refused here, where the function's author sees it. */
function toValue(value: unknown): Value {
  return detachBlobs(value, Infinity).skeleton as Value
}
