import type { LogEntry, PeerRef } from '../model/call.ts'
import type { FunctionOptions } from '../model/function.ts'
import type { Value } from '../model/value.ts'

/** A JSON Schema. It is shown to callers, and not used to check anything. */
export type JsonSchema = Record<string, unknown>

/** What we use of https://standardschema.dev (version 1): zod, valibot, arktype and others have it. */
export interface StandardSchema<In = unknown, Out = In> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Out> | Promise<SchemaResult<Out>>
    readonly types?: { readonly input: In; readonly output: Out } | undefined
    readonly jsonSchema?: {
      readonly input: (options: { target: 'draft-2020-12' }) => JsonSchema
      readonly output: (options: { target: 'draft-2020-12' }) => JsonSchema
    }
  }
}

type SchemaResult<Out> =
  { readonly value: Out; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a function is given beside its arguments. */
export interface CallContext {
  /** Aborts on cancel, at the deadline, and when the caller is gone. */
  readonly signal: AbortSignal
  /** When the answer must be there, epoch ms. */
  readonly deadline: number
  /** Milliseconds left until then; never below 0. */
  remainingMs(): number
  /** Tells the caller how far it is. May be dropped under load. */
  progress(value: unknown): void
  /** Sends a line to the caller. @param level - default `info` */
  log(message: string, level?: LogEntry['level']): void
  readonly caller: PeerRef
  /** The id of the call: the same for its caller, its provider and its records. */
  readonly callId: string
  /** W3C trace context of the caller: give it to what the function calls, so that one trace shows all of it. */
  readonly traceparent: string
  /** What the caller streams to the function; empty unless it does. To be read once. */
  readonly input: AsyncIterable<Value>
  /** Credits that the caller allows at most; null when it named no limit. */
  readonly budget: number | null
}

/** A registered function, ready to run. */
export interface RunnableFunction {
  readonly options: FunctionOptions
  /** The parameters (without the context) for these arguments. @throws `invalid_request` with the issues */
  bind(
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>>,
  ): readonly unknown[] | Promise<readonly unknown[]>
  /** @param parameters - the bound ones, then the {@link CallContext} */
  invoke(parameters: readonly unknown[]): unknown
  /** The result, or one chunk, checked against the output schema; or a promise of it. */
  check(value: unknown): unknown
}
