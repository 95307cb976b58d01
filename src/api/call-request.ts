import type { z } from 'zod'
import { EasyNetError } from '../errors/error.ts'
import type { CallRequest } from '../model/call.ts'
import { parseTraceparent } from '../model/trace.ts'
import type { Value } from '../model/value.ts'
import type { callRequestSchema } from './schemas.ts'

/**
 * A checked request body as the node wants it.
 *
 * @param decode - turns JSON into a value, in the form of the connection it came over
 */
export function toCallRequest(
  body: z.output<typeof callRequestSchema> & { id?: string | undefined; traceparent?: string | undefined },
  decode: (json: unknown) => Value,
): CallRequest {
  const { id, fn, args, kwargs, peer, timeoutMs, maxCost, key } = body
  const traceparent = parseTraceparent(body.traceparent)
  const request: CallRequest = { fn, args: asList(decode(args)), kwargs: asNamed(decode(kwargs)) }
  if (id !== undefined) request.id = id
  if (timeoutMs !== undefined) request.timeoutMs = timeoutMs
  if (peer !== undefined) request.peer = peer
  if (maxCost !== undefined) request.maxCost = maxCost
  if (key !== undefined) request.key = key
  if (traceparent !== undefined) request.traceparent = traceparent
  return request
}

/** `value` as positional arguments. @throws `invalid_request` */
function asList(value: Value): Value[] {
  if (Array.isArray(value)) return value
  throw new EasyNetError('invalid_request', 'args has to be a list.')
}

/** `value` as arguments by name. @throws `invalid_request` when it stands for bytes */
function asNamed(value: Value): Record<string, Value> {
  const isNamed = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (isNamed && !(value instanceof Uint8Array)) return value
  throw new EasyNetError('invalid_request', 'kwargs has to be an object.')
}
