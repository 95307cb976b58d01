import { EasyNetError } from '../errors/error.ts'
import type { FunctionOptions } from '../model/function.ts'
import type { CallContext, JsonSchema, RunnableFunction, StandardSchema } from './function-types.ts'
import { isStandardSchema, jsonSchemaOf, validate } from './schema.ts'

const brand = Symbol.for('easynet.function')

/** A schema that checks, one that only describes, or none. */
export type AnySchema = StandardSchema | JsonSchema | undefined

/** What `run` gets for a schema. */
type HandlerInput<S> = S extends StandardSchema<unknown, infer Out> ? Out : unknown
/** What a caller passes for a schema. */
export type CallerInput<S> = S extends StandardSchema<infer In> ? In : unknown
/** What a caller gets from a function that returns `R`: a stream's chunks are not part of it. */
export type Returned<R> =
  Awaited<R> extends AsyncGenerator<unknown, infer T> | Generator<unknown, infer T> ? T : Awaited<R>

/** Options of {@link fn}; see `docs/functions.md` for every one of them. */
export interface FunctionInit<S extends AnySchema, R> extends Omit<
  FunctionOptions,
  'name' | 'input' | 'output'
> {
  /** Schema of the first argument (or of all arguments by name, as one object). */
  input?: S
  /** Schema of the result, or of each chunk when the function streams. */
  output?: AnySchema
  /** Generators stream what they yield; their return value is the result. */
  run(input: HandlerInput<S>, ctx: CallContext): R
}

/** The same without its types. */
type LooseInit = PlainOptions & { run: (...parameters: unknown[]) => unknown }

/** A function with its name and options, made by {@link fn}. The types are those of its callers. */
export interface FunctionDefinition<In = unknown, Result = unknown> extends RunnableFunction {
  readonly name: string
  readonly [brand]: true
  /** Exists for the type checker only. */
  readonly types?: { input: In; result: Result }
}

/**
 * Defines a function: register it with `mesh.register(…)`, or export it from a file for `easynet serve`.
 *
 * `run` gets the first positional argument, or the arguments by name as one object. Without an `input`
 * schema, further positional arguments follow it. The context is always the last parameter.
 *
 * @example
 * export const resize = fn('image.resize', {
 *   input: z.object({ image: z.instanceof(Uint8Array), width: z.number().max(4096) }),
 *   idempotent: true,
 *   async run({ image, width }, ctx) {
 *     ctx.progress({ step: 'decode' })
 *     return shrink(image, width, ctx.signal)
 *   },
 * })
 */
export function fn<R, S extends AnySchema = undefined>(
  name: string,
  init: FunctionInit<S, R>,
): FunctionDefinition<CallerInput<S>, Returned<R>> {
  const { input, output, run, ...options } = init as LooseInit
  return {
    name,
    [brand]: true,
    options: describe(name, run, options, input, output),
    bind: (args, kwargs) => bindOne(name, input, args, kwargs),
    invoke: (parameters) => Reflect.apply(run, init, parameters),
    check: (value) => checkOutput(name, output, value),
  }
}

/** True for what {@link fn} returns, also from another copy of this package. */
export function isFunctionDefinition(value: unknown): value is FunctionDefinition {
  return typeof value === 'object' && value !== null && brand in value
}

/** Any function that can be registered under a name. */
export type PlainFunction = (...parameters: never[]) => unknown
export type PlainOptions = Omit<FunctionOptions, 'name' | 'input' | 'output'> & {
  input?: AnySchema
  output?: AnySchema
}

/** A function as it is: it gets the positional arguments (or those by name as one object), then the context. */
export function plainFunction(name: string, run: PlainFunction, init: PlainOptions = {}): FunctionDefinition {
  const { input, output, ...options } = init
  const execute = run as (...parameters: unknown[]) => unknown
  if (isStandardSchema(input)) return fn(name, { ...init, run: execute })
  return {
    name,
    [brand]: true,
    options: describe(name, execute, options, input, output),
    bind: (args, kwargs) => (isEmpty(kwargs) ? args : [...args, kwargs]),
    invoke: (parameters) => execute(...parameters),
    check: (value) => checkOutput(name, output, value),
  }
}

function describe(
  name: string,
  run: object,
  options: Omit<FunctionOptions, 'name' | 'input' | 'output'>,
  input: AnySchema,
  output: AnySchema,
): FunctionOptions {
  const inputJson = jsonSchemaOf(input, 'input')
  const outputJson = jsonSchemaOf(output, 'output')
  return {
    name,
    ...(isGeneratorFunction(run) ? { stream: true } : {}),
    ...options,
    ...(inputJson === undefined ? {} : { input: inputJson }),
    ...(outputJson === undefined ? {} : { output: outputJson }),
  }
}

function isGeneratorFunction(run: object): boolean {
  return ['GeneratorFunction', 'AsyncGeneratorFunction'].includes(run.constructor.name)
}

function bindOne(
  name: string,
  schema: AnySchema,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): readonly unknown[] | Promise<readonly unknown[]> {
  const named = !isEmpty(kwargs)
  const parameters = named ? [...args, kwargs] : args.length === 0 ? [undefined] : args
  return schema === undefined ? parameters : bindChecked(name, schema, parameters, named)
}

async function bindChecked(
  name: string,
  schema: StandardSchema | JsonSchema,
  parameters: readonly unknown[],
  named: boolean,
): Promise<readonly unknown[]> {
  if (parameters.length > 1) {
    const positional = parameters.length - (named ? 1 : 0)
    throw refusal(`"${name}" takes one argument; ${positional} came${named ? ' and others by name' : ''}.`, {
      fn: name,
    })
  }
  if (!isStandardSchema(schema)) return parameters
  const checked = await validate(schema, parameters[0])
  if (checked.issues === undefined) return [checked.value]
  throw refusal(
    `"${name}" does not take these arguments: ${checked.issues.map((issue) => issue.text).join('; ')}.`,
    {
      fn: name,
      issues: checked.issues.map(({ path, message }) => ({ path, message })),
    },
  )
}

function isEmpty(kwargs: Readonly<Record<string, unknown>>): boolean {
  for (const _ in kwargs) return false
  return true
}

function checkOutput(name: string, schema: AnySchema, value: unknown): unknown {
  return isStandardSchema(schema) ? checkWith(name, schema, value) : value
}

async function checkWith(name: string, schema: StandardSchema, value: unknown): Promise<unknown> {
  const checked = await validate(schema, value)
  if (checked.issues === undefined) return checked.value
  const texts = checked.issues.map((issue) => issue.text).join('; ')
  throw new TypeError(`"${name}" returned something that its output schema refuses: ${texts}.`)
}

/** An error about the arguments: the caller sees it as it is, not as a failure of the function. */
function refusal(message: string, details: Record<string, unknown>): EasyNetError {
  return new EasyNetError('invalid_request', message, { details })
}
