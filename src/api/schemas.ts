import { z } from '@hono/zod-openapi'
import { MAX_CALL_TIMEOUT_MS } from '../model/call.ts'
import { ERROR_CODES } from '../errors/reasons.ts'

// What travels over the control API, as OpenAPI shows it. Views of the node are written by us, so their
// schemas document and are not run; request schemas are run and refuse unknown keys.

/** Most positional arguments. */
export const MAX_ARGS = 1_024

const value = (what: string) =>
  z.unknown().openapi({ description: `${what} Bytes are {"$bytes":"<base64>"}.` })

export const errorSchema = z
  .object({
    error: z.object({
      code: z.enum(ERROR_CODES),
      reason: z.string().openapi({ example: 'no_provider' }),
      message: z.string(),
      hint: z.string().optional(),
      retryable: z.boolean(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  })
  .openapi('Error')

const peerRefSchema = z.object({ peerId: z.string(), name: z.string() }).openapi('PeerRef')

const meshSchema = z
  .object({
    id: z.string().openapi({ description: '64 hexadecimal digits.' }),
    name: z.string(),
    role: z.enum(['owner', 'member', 'guest', 'none']),
    expiresAt: z.number().nullable().openapi({ description: 'Epoch ms; null when it does not expire.' }),
  })
  .openapi('Mesh')

export const statusSchema = z
  .object({
    schema: z.literal('status/1'),
    peerId: z.string(),
    name: z.string(),
    owner: z.string().openapi({ description: 'Owner key of whom this device acts for, hexadecimal.' }),
    meshes: z.array(meshSchema),
    version: z.string(),
    uptimeMs: z.number(),
    addresses: z.array(z.string()),
    reachability: z.enum(['public', 'private', 'offline']),
    peers: z.number().openapi({ description: 'Connected peers.' }),
    functions: z.number().openapi({ description: 'Functions that this device offers.' }),
    calls: z.object({ running: z.number(), done: z.number(), failed: z.number() }),
    storage: z.enum(['ok', 'full']).openapi({ description: 'full: calls that must be noted are refused.' }),
  })
  .openapi('Status')

export const peerSchema = z
  .object({
    peerId: z.string(),
    name: z.string(),
    addresses: z.array(z.string()),
    connected: z.boolean(),
    path: z.enum(['direct', 'relayed']),
    rttMs: z.number().nullable(),
    functions: z.array(z.string()),
    version: z.string().nullable(),
    lastSeenAt: z.number().nullable().openapi({ description: 'Epoch ms.' }),
    clockAheadMs: z
      .number()
      .nullable()
      .openapi({ description: "How far its wall clock is ahead of this device's; null until it has told." }),
    blocked: z.boolean(),
  })
  .openapi('Peer')

export const pingSchema = z
  .object({
    peerId: z.string(),
    name: z.string(),
    rttMs: z.number(),
    path: z.enum(['direct', 'relayed']),
    address: z.string(),
  })
  .openapi('Ping')

const jsonSchema = z.record(z.string(), z.unknown()).nullable().openapi({ description: 'A JSON Schema.' })

export const functionSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    description: z.string(),
    stream: z.boolean(),
    clientStream: z.boolean(),
    idempotent: z.boolean(),
    price: z.string().openapi({ description: 'Declared credits per call, a decimal.' }),
    tags: z.array(z.string()),
    input: jsonSchema,
    output: jsonSchema,
    providers: z.array(
      z.object({
        peerId: z.string(),
        name: z.string(),
        rttMs: z.number().nullable(),
        local: z.boolean(),
      }),
    ),
  })
  .openapi('Function')

/** What a program says of a call: the body of `POST /v1/calls`, the params of `call`. */
export const callRequestSchema = z
  .strictObject({
    fn: z.string().min(1).max(512).openapi({
      description: 'Function address: name, peer/name, name@^2.',
      example: 'text.upper',
    }),
    args: z
      .array(z.unknown())
      .max(MAX_ARGS)
      .default([])
      .openapi({ description: 'Positional arguments. Bytes are {"$bytes":"<base64>"}.' }),
    kwargs: z.record(z.string(), z.unknown()).default({}).openapi({ description: 'Arguments by name.' }),
    peer: z.string().min(1).max(256).optional().openapi({ description: 'Run it there and nowhere else.' }),
    timeoutMs: z.number().int().min(1).max(MAX_CALL_TIMEOUT_MS).optional(),
    maxCost: z.number().min(0).optional().openapi({ description: 'Most credits that it may cost.' }),
    key: z.string().min(1).max(256).optional().openapi({
      description: 'Your idempotency key: the same key runs the function at most once.',
    }),
  })
  .openapi('CallRequest')

export const callResultSchema = z
  .object({
    id: z.string(),
    result: value('What the function returned.'),
    provider: peerRefSchema,
    path: z.enum(['local', 'direct', 'relayed']),
    attempts: z.number(),
    failed: z.array(
      z.object({ provider: peerRefSchema, error: errorSchema.shape.error, durationMs: z.number() }),
    ),
    durationMs: z.number(),
    cost: z.string().openapi({ description: 'Credits paid, a decimal.' }),
  })
  .openapi('CallResult')

export const callRecordSchema = z
  .object({
    id: z.string(),
    fn: z.string(),
    role: z.enum(['caller', 'provider']),
    state: z.enum(['running', 'done', 'failed', 'interrupted', 'unknown']),
    peer: peerRefSchema.optional(),
    idempotent: z.boolean().optional().openapi({ description: 'Whether the function may run twice.' }),
    startedAt: z.number(),
    endedAt: z.number().optional(),
    error: errorSchema.shape.error.optional(),
    result: value('Present when the result is still kept.').optional(),
  })
  .openapi('CallRecord')

export const callDetailsSchema = callRecordSchema
  .extend({
    traceparent: z.string().optional().openapi({ description: 'W3C trace context that the function got.' }),
    timeline: z
      .array(
        z.object({
          at: z.number().openapi({ description: 'Epoch ms with a fraction, on the clock of this device.' }),
          where: z.enum(['app', 'caller', 'wire', 'provider', 'function']),
          what: z.string(),
          peer: peerRefSchema.optional(),
        }),
      )
      .optional()
      .openapi({ description: 'The steps of the last 10,000 calls since the daemon started.' }),
  })
  .openapi('CallDetails')
