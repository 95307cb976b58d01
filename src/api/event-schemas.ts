import { z } from '@hono/zod-openapi'
import type { NodeEvent } from '../model/views.ts'
import { callRecordSchema, callResultSchema, errorSchema, peerRefSchema, value } from './schemas.ts'

// The `data` of server-sent events, as OpenAPI shows it, by type. We write them, so these document and are
// not run.

/** Schemas of events with their names among the components of the document. */
export type EventSchemas = Record<string, readonly [name: string, schema: z.ZodType]>

/** The events of `POST /v1/calls`. */
export const callEvents = {
  accepted: [
    'CallAccepted',
    z.object({ id: z.string().describe('The id of the call. Nothing has been sent to a provider yet.') }),
  ],
  chunk: ['CallChunk', z.object({ value: value('The next item of the function.') })],
  progress: [
    'CallProgress',
    z.object({ value: z.unknown().describe('How far the function is. Left out while you read too slowly.') }),
  ],
  log: [
    'CallLog',
    z.object({
      level: z.enum(['debug', 'info', 'warn', 'error']),
      message: z.string().describe('What the function logged. Left out while you read too slowly.'),
    }),
  ],
  result: ['CallResult', callResultSchema],
  error: ['Error', errorSchema],
} satisfies EventSchemas

const peer = peerRefSchema
const call = {
  id: z.string().describe('The id of the call.'),
  fn: z.string(),
  role: callRecordSchema.shape.role,
  peer: peer.optional(),
}
const missed = z.number().optional().describe('Events before this one that are not kept any more.')

const event = <T extends NodeEvent['type'], D extends z.ZodRawShape>(type: T, data: D) =>
  z.object({
    id: z.number().describe('Grows by one with each event; the `id` of the server-sent event as well.'),
    type: z.literal(type),
    at: z.number().describe('When it happened, in epoch milliseconds.'),
    data: z.object({ ...data, missed }),
  })

/** The events of `GET /v1/events`. */
export const nodeEvents = {
  'peer:connect': ['PeerConnected', event('peer:connect', { peer, path: z.enum(['direct', 'relayed']) })],
  'peer:disconnect': ['PeerDisconnected', event('peer:disconnect', { peer })],
  'peer:functions': [
    'PeerFunctions',
    event('peer:functions', {
      peer,
      functions: z.array(z.string()).describe('Names of what it offers now; the first ones, if many.'),
      count: z.number().describe('How many functions it offers.'),
    }),
  ],
  'function:register': [
    'FunctionRegistered',
    event('function:register', { name: z.string(), version: z.string() }),
  ],
  'function:unregister': ['FunctionUnregistered', event('function:unregister', { name: z.string() })],
  'call:start': ['CallStarted', event('call:start', call)],
  'call:end': [
    'CallEnded',
    event('call:end', {
      ...call,
      state: callRecordSchema.shape.state,
      durationMs: z.number(),
      path: z.enum(['local', 'direct', 'relayed']).optional(),
      error: errorSchema.shape.error.optional(),
    }),
  ],
  'daemon:draining': ['DaemonDraining', event('daemon:draining', {})],
} satisfies Record<NodeEvent['type'], EventSchemas[string]>
