import { EasyNetError } from '../errors/error.ts'
import type { CallSink, FunctionRunner, Invocation, PeerRef } from '../model/call.ts'
import { traceparentOf } from '../model/trace.ts'
import { detachBlobs, type Value } from '../model/value.ts'

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
        const returned = run(...given, new Context(invocation, sink))
        return toValue(isGenerator(returned) ? await drain(returned, invocation, sink) : await returned)
      } catch (error) {
        throw functionError(error, invocation)
      }
    },
  }
}

async function drain(
  generator: AsyncGenerator<unknown, unknown> | Generator<unknown, unknown>,
  { deadline }: Invocation,
  sink: CallSink,
): Promise<unknown> {
  while (true) {
    const step = await generator.next()
    if (step.done === true) return step.value
    if (deadline.reason !== undefined) {
      await generator.return(undefined)
      throw deadline.reason
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

/** What few functions look at is made when they do. */
class Context implements LocalContext {
  readonly #invocation: Invocation
  readonly callId: string
  readonly caller: PeerRef
  readonly progress: (value: Value) => void
  readonly log: (message: string) => void

  constructor(invocation: Invocation, sink: CallSink) {
    this.#invocation = invocation
    this.callId = invocation.id
    this.caller = invocation.caller
    this.progress = (value) => sink.progress(value)
    this.log = (message) => sink.log({ level: 'info', message })
  }

  get traceparent(): string {
    return this.#invocation.traceparent ?? traceparentOf(this.callId)
  }

  get signal(): AbortSignal {
    return this.#invocation.deadline.signal
  }

  get input(): AsyncIterable<Value> {
    return this.#invocation.input ?? noInput()
  }
}

async function* noInput(): AsyncGenerator<Value> {}

/** Whatever a function throws is its own error: that of a nested call says nothing about this one. */
function functionError(error: unknown, { deadline }: Invocation): EasyNetError {
  if (deadline.reason !== undefined) return deadline.reason
  const { name, message } = error instanceof Error ? error : new Error(EasyNetError.from(error).message)
  const reason = error instanceof EasyNetError ? { reason: error.reason } : {}
  return new EasyNetError('function_error', message, { details: { name, ...reason }, cause: error })
}

/** A plain copy: what cannot travel is refused here, where the function's author sees it. */
function toValue(value: unknown): Value {
  return detachBlobs(value, Infinity).skeleton as Value
}
