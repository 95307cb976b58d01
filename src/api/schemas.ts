import { z } from '@hono/zod-openapi'
import { MAX_CALL_TIMEOUT_MS } from '../model/call.ts'
import { ERROR_CODES, REASONS } from '../errors/reasons.ts'

// What travels over the control API, as OpenAPI shows it. Views of the node are written by us, so their
// schemas document and are not run; request schemas are run and refuse unknown keys.

/** Most positional arguments. */
export const MAX_ARGS = 1_024

/** Any JSON value; `z.unknown()` alone would count as optional. */
export const value = (what: string) =>
  z.nonoptional(z.unknown()).describe(`${what} Bytes are {"$bytes":"<base64>"}.`)
const epochMs = (what: string) => z.number().describe(`${what}, in epoch milliseconds.`)
const rttMs = z.number().nullable().describe('Smoothed round-trip time; null until one was measured.')
const path = z.enum(['direct', 'relayed']).describe('How its bytes travel.')
const peerId = z.string().describe('Its peer id: who it is, proved by its key.')
const peerName = z.string().describe('What it calls itself; others may have the same name.')

/** The device of the examples, and its neighbour. */
export const EXAMPLE_PEERS = {
  self: { peerId: '12D3KooWKGso2jyAv3Y7HcFi9mzCZLn6V6EE2dR5nCWsMEzWkjHy', name: 'laptop' },
  other: { peerId: '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp', name: 'desk' },
}
/** The call of the examples. */
export const EXAMPLE_CALL_ID = '01a20e2a-e66d-70c4-a2eb-5dd3158d8711'
const EXAMPLE_AT = 1_795_534_022_253
const EXAMPLE_ADDRESS = '/ip4/192.168.1.20/tcp/4677'
const EXAMPLE_TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

const errorDataSchema = z
  .object({
    code: z.enum(ERROR_CODES).describe('One of the 16 gRPC status codes. It decides the HTTP status.'),
    reason: z
      .enum(Object.keys(REASONS) as [keyof typeof REASONS])
      .describe(
        'What programs decide by; docs/errors.md has them all. One that is new to you is `internal`.',
      ),
    message: z.string().describe('What happened, for people. It may change, and may have texts of others.'),
    hint: z.string().optional().describe('What to do about it, for people.'),
    retryable: z.boolean().describe('True: nothing has run, and the same request may succeed later.'),
    details: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Facts for programs. Errors of a call have its `callId` and the number of `attempts`.'),
  })
  .openapi('ErrorData')

export const errorSchema = z.object({ error: errorDataSchema }).openapi('Error', {
  example: {
    error: {
      code: 'not_found',
      reason: 'no_provider',
      message: 'Nobody in the mesh offers a function "text.uper" now.',
      hint: 'See what is offered: easynet fn ls',
      retryable: true,
      details: { fn: 'text.uper', callId: EXAMPLE_CALL_ID, attempts: 0 },
    },
  },
})

export const peerRefSchema = z
  .object({ peerId, name: peerName })
  .openapi('PeerRef', { example: EXAMPLE_PEERS.other })

const meshSchema = z
  .object({
    id: z.string().describe('64 hexadecimal digits.'),
    name: z.string(),
    role: z.enum(['owner', 'member', 'guest', 'none']),
    expiresAt: z.number().nullable().describe('In epoch milliseconds; null when it does not expire.'),
  })
  .openapi('Mesh')

export const statusSchema = z
  .object({
    schema: z.literal('status/1'),
    peerId: z.string().describe('The peer id of this device.'),
    name: z.string().describe('The name of this device.'),
    owner: z.string().describe('Owner key of whom this device acts for, hexadecimal.'),
    meshes: z.array(meshSchema).describe('The meshes that it is in.'),
    version: z.string().describe('Version of the daemon.'),
    uptimeMs: z.number().describe('Milliseconds since it started.'),
    addresses: z.array(z.string()).describe('Where others can dial it, as multiaddrs.'),
    reachability: z
      .enum(['public', 'private', 'offline'])
      .describe('`public`: others have reached us from outside. `private`: only we have dialled so far.'),
    peers: z.number().describe('Connected peers.'),
    functions: z.number().describe('Functions that this device offers.'),
    calls: z
      .object({ running: z.number(), done: z.number(), failed: z.number() })
      .describe('Calls since the start.'),
    storage: z.enum(['ok', 'full']).describe('`full`: calls that must be noted are refused.'),
  })
  .openapi('Status', {
    example: {
      schema: 'status/1',
      ...EXAMPLE_PEERS.self,
      owner: '7d4a'.repeat(16),
      meshes: [{ id: '3f9c'.repeat(16), name: 'home', role: 'owner', expiresAt: null }],
      version: '0.1.0',
      uptimeMs: 188_021,
      addresses: [`/ip4/192.168.1.7/tcp/4677/p2p/${EXAMPLE_PEERS.self.peerId}`],
      reachability: 'private',
      peers: 1,
      functions: 2,
      calls: { running: 0, done: 12, failed: 1 },
      storage: 'ok',
    },
  })

export const peerSchema = z
  .object({
    peerId,
    name: peerName,
    addresses: z.array(z.string()).describe('The one in use while connected, else those it announced.'),
    connected: z.boolean(),
    path,
    rttMs,
    functions: z.array(z.string()).describe('Names of the functions that it offers.'),
    version: z.string().nullable().describe('Version of its daemon; null until it has said so.'),
    lastSeenAt: epochMs('When it was last heard of').nullable(),
    clockAheadMs: z
      .number()
      .nullable()
      .describe("How far its wall clock is ahead of this device's; null until it has told."),
    blocked: z.boolean().describe('True when this device refuses its connections.'),
  })
  .openapi('Peer', {
    example: {
      ...EXAMPLE_PEERS.other,
      addresses: [EXAMPLE_ADDRESS],
      connected: true,
      path: 'direct',
      rttMs: 1.21,
      functions: ['image.resize'],
      version: '0.1.0',
      lastSeenAt: EXAMPLE_AT,
      clockAheadMs: 12,
      blocked: false,
    },
  })

export const pingSchema = z
  .object({
    peerId,
    name: peerName,
    rttMs: z.number().describe('The round trip just measured.'),
    path,
    address: z.string().describe('The address in use.'),
  })
  .openapi('Ping', {
    example: { ...EXAMPLE_PEERS.other, rttMs: 1.34, path: 'direct', address: EXAMPLE_ADDRESS },
  })

const jsonSchema = (what: string) =>
  z.record(z.string(), z.unknown()).nullable().describe(`JSON Schema of ${what}; null: not declared.`)

export const functionSchema = z
  .object({
    name: z.string(),
    version: z.string().describe('Semantic version. Each version of a function is listed on its own.'),
    description: z.string().describe('What its author says of it.'),
    stream: z.boolean().describe('It yields chunks before its result.'),
    clientStream: z.boolean().describe('It reads a stream of inputs; only the app connection can send one.'),
    idempotent: z.boolean().describe('Running it twice does no harm: it is retried and failed over.'),
    price: z.string().describe('Declared credits per call, a decimal.'),
    tags: z.array(z.string()),
    input: jsonSchema('its arguments'),
    output: jsonSchema('its result, or of a chunk'),
    providers: z
      .array(z.object({ peerId, name: peerName, rttMs, local: z.boolean().describe('It is this device.') }))
      .describe('The devices that offer it.'),
  })
  .openapi('Function', {
    example: {
      name: 'text.upper',
      version: '1.0.0',
      description: 'A text in capitals.',
      stream: false,
      clientStream: false,
      idempotent: true,
      price: '0',
      tags: ['text'],
      input: null,
      output: { type: 'string' },
      providers: [{ ...EXAMPLE_PEERS.other, rttMs: 1.21, local: false }],
    },
  })

/** What a program says of a call: the body of `POST /v1/calls`, the params of `call`. */
export const callRequestSchema = z
  .strictObject({
    fn: z
      .string()
      .min(1)
      .max(512)
      .describe('Function address: `name`, `peer/name`, `name@^2`.')
      .openapi({ example: 'text.upper' }),
    args: z
      .array(z.unknown())
      .max(MAX_ARGS)
      .default([])
      .describe('Positional arguments. Bytes are {"$bytes":"<base64>"}.'),
    kwargs: z.record(z.string(), z.unknown()).default({}).describe('Arguments by name.'),
    peer: z.string().min(1).max(256).optional().describe('Run it there and nowhere else: peer id or name.'),
    timeoutMs: z
      .number()
      .int()
      .min(1)
      .max(MAX_CALL_TIMEOUT_MS)
      .optional()
      .describe('Milliseconds until it has to have ended; else `calls.defaultTimeoutMs` of the settings.'),
    maxCost: z.number().min(0).optional().describe('Most credits that it may cost.'),
    key: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Your idempotency key: the same key runs the function at most once.'),
  })
  .openapi('CallRequest', { example: { fn: 'text.upper', args: ['hi'], timeoutMs: 5_000 } })

export const callResultSchema = z
  .object({
    id: z.string().describe('The id of the call.'),
    result: value('What the function returned.'),
    provider: peerRefSchema,
    path: z.enum(['local', 'direct', 'relayed']).describe('`local`: the function ran on this device.'),
    attempts: z.number().describe('Attempts made, the successful one included.'),
    failed: z
      .array(z.object({ provider: peerRefSchema, error: errorDataSchema, durationMs: z.number() }))
      .describe('The attempts that failed before.'),
    durationMs: z.number().describe('Milliseconds from the request to the result.'),
    cost: z.string().describe('Credits paid, a decimal.'),
  })
  .openapi('CallResult', {
    example: {
      id: EXAMPLE_CALL_ID,
      result: 'HI',
      provider: EXAMPLE_PEERS.other,
      path: 'direct',
      attempts: 1,
      failed: [],
      durationMs: 2.4,
      cost: '0',
    },
  })

export const callRecordSchema = z
  .object({
    id: z.string(),
    fn: z.string().describe('The function address as it was asked for.'),
    role: z.enum(['caller', 'provider']).describe('What this device was in it.'),
    state: z
      .enum(['running', 'done', 'failed', 'interrupted', 'unknown'])
      .describe(
        '`failed`: it did not run, or ended with an error. `interrupted`: it had started and was cut off. `unknown`: nobody can tell now.',
      ),
    peer: peerRefSchema.optional(),
    idempotent: z.boolean().optional().describe('Whether the function may run twice.'),
    startedAt: epochMs('When it was made'),
    endedAt: epochMs('When it ended').optional(),
    error: errorDataSchema.optional(),
    result: value('Present when the result is still kept.').optional(),
  })
  .openapi('CallRecord', {
    example: {
      id: EXAMPLE_CALL_ID,
      fn: 'text.upper',
      role: 'caller',
      state: 'done',
      peer: EXAMPLE_PEERS.other,
      startedAt: EXAMPLE_AT,
      endedAt: EXAMPLE_AT + 2,
    },
  })

export const callDetailsSchema = callRecordSchema
  .extend({
    traceparent: z.string().optional().describe('W3C trace context that the function got.'),
    timeline: z
      .array(
        z.object({
          at: z.number().describe('Epoch milliseconds with a fraction, on the clock of this device.'),
          where: z.enum(['app', 'caller', 'wire', 'provider', 'function']),
          what: z.string(),
          peer: peerRefSchema.optional(),
        }),
      )
      .optional()
      .describe('The steps of the last 10,000 calls since the daemon started.'),
  })
  .openapi('CallDetails', {
    example: {
      id: EXAMPLE_CALL_ID,
      fn: 'text.upper',
      role: 'caller',
      state: 'done',
      peer: EXAMPLE_PEERS.other,
      startedAt: EXAMPLE_AT,
      endedAt: EXAMPLE_AT + 2,
      result: 'HI',
      traceparent: EXAMPLE_TRACE,
      timeline: [
        { at: EXAMPLE_AT + 0.12, where: 'caller', what: 'accepted' },
        { at: EXAMPLE_AT + 0.58, where: 'wire', what: 'sent', peer: EXAMPLE_PEERS.other },
      ],
    },
  })
