import type { CallSink, FunctionRunner, Invocation, PeerRef } from '../model/call.ts'
import { detachBlobs, type Value } from '../model/value.ts'

/** What a function in this process is told of its call. */
export interface LocalContext {
  callId: string
  caller: PeerRef
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
      const returned = run(...given, contextOf(invocation, sink))
      const result = isGenerator(returned) ? await drain(returned, invocation, sink) : await returned
      return toValue(result)
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

function contextOf({ id, caller, signal, input }: Invocation, sink: CallSink): LocalContext {
  return {
    callId: id,
    caller,
    signal,
    input: input ?? noInput(),
    progress: (value) => sink.progress(value),
    log: (message) => sink.log({ level: 'info', message }),
  }
}

async function* noInput(): AsyncGenerator<Value> {}

/** A plain copy: what cannot travel is refused here, where the function's author sees it. */
function toValue(value: unknown): Value {
  return detachBlobs(value, Infinity).skeleton as Value
}
