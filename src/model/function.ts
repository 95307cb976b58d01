import { z } from 'zod'

/** A function's name: a letter or `_`, then letters, digits and `_ . : -`; letters of any script. */
export const FUNCTION_NAME = /^[\p{L}_][\p{L}\p{N}_.:-]{0,127}$/u

/** Largest JSON Schema of one input or output. */
export const MAX_SCHEMA_BYTES = 8 * 1024
/** Most functions that one device can offer. */
export const MAX_FUNCTIONS = 512

const jsonSchema = z
  .record(z.string(), z.unknown())
  .refine((schema) => JSON.stringify(schema).length <= MAX_SCHEMA_BYTES, {
    message: `a schema may have at most ${MAX_SCHEMA_BYTES} bytes`,
  })

/** What a program says of a function when it registers it. Unknown keys are refused. */
export const functionOptionsSchema = z.strictObject({
  name: z.string().regex(FUNCTION_NAME, 'a name is a letter, then letters, digits and _ . : - (128 at most)'),
  /** Semantic version. */
  version: z
    .string()
    .regex(/^\d+\.\d+\.\d+$/, 'a version has the form 1.0.0')
    .default('1.0.0'),
  description: z.string().max(1024).default(''),
  /** JSON Schema of the arguments. */
  input: jsonSchema.optional(),
  /** JSON Schema of the result, or of a chunk when the function streams. */
  output: jsonSchema.optional(),
  /** True when it yields chunks before its result. */
  stream: z.boolean().default(false),
  /** True when it reads a stream of inputs beside its arguments. */
  clientStream: z.boolean().default(false),
  /** True when running it twice does no harm: it is then retried and failed over. */
  idempotent: z.boolean().default(false),
  /** Longest run; the caller's deadline can only shorten it. */
  timeoutMs: z.number().int().min(1).max(86_400_000).default(300_000),
  /** Runs at the same time; further calls wait in the queue. */
  maxConcurrent: z.number().int().min(1).max(10_000).default(64),
  /** Calls that may wait; one more is refused with `queue_full`. */
  maxQueue: z.number().int().min(0).max(10_000).default(256),
  /** `private`: only programs on this device may call it. */
  access: z.enum(['private', 'members', 'public']).default('members'),
  /** Declared price in credits per call, a decimal such as `"0.02"`. */
  price: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,6})?$/, 'a price is a decimal such as 0.02')
    .default('0'),
  /** Declared quality, 0 to 1: a claim for others to check, never a score. */
  quality: z.number().min(0).max(1).optional(),
  tags: z.array(z.string().min(1).max(64)).max(16).default([]),
})

/** Options as a program gives them. */
export type FunctionOptions = z.input<typeof functionOptionsSchema>
/** The same with every default filled in. */
export type FunctionDescriptor = z.output<typeof functionOptionsSchema>

/** What other devices are told of a function. */
export const advertisedFunctionSchema = functionOptionsSchema
  .omit({ maxConcurrent: true, maxQueue: true, access: true })
  .loose()
export type AdvertisedFunction = z.output<typeof advertisedFunctionSchema>
