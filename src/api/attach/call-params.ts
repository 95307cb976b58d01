import { z } from 'zod'
import { CALL_ID, MAX_CALL_TIMEOUT_MS } from '../../model/call.ts'
import { invalidRequest } from '../errors.ts'
import { callRequestSchema, MAX_ARGS } from '../schemas.ts'
import type { Json } from '../../model/attach-message.ts'

export const callParamsSchema = callRequestSchema.extend({
  id: z.string().regex(CALL_ID).optional(),
  stream: z.boolean().default(false),
  input: z.boolean().default(false),
  traceparent: z.string().optional(),
})

export type CallParams = z.output<typeof callParamsSchema>

/** The checked params of `call`. @throws `invalid_request` */
export function parseCallParams(json: Json): CallParams {
  const usual = usualCallParams(json)
  if (usual !== undefined) return usual
  const parsed = callParamsSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw invalidRequest(parsed.error, 'call')
}

/**
 * What the schema makes of params that hold nothing unusual, in a tenth of its time; undefined when the
 * schema has to look, which alone refuses and says why.
 */
export function usualCallParams(json: Json): CallParams | undefined {
  const params: CallParams = { fn: '', args: [], kwargs: {}, stream: false, input: false }
  for (const key of Object.keys(json)) {
    const value = json[key]
    switch (key) {
      case 'fn':
        if (!isText(value, 1, 512)) return undefined
        params.fn = value
        break
      case 'id':
        if (!isText(value, 36, 36) || !CALL_ID.test(value)) return undefined
        params.id = value
        break
      case 'args':
        if (!Array.isArray(value) || value.length > MAX_ARGS) return undefined
        params.args = value
        break
      case 'kwargs':
        // The schema leaves out a member of that name.
        if (!isObject(value) || Object.hasOwn(value, '__proto__')) return undefined
        params.kwargs = value
        break
      case 'timeoutMs':
        if (!Number.isInteger(value) || !isBetween(value as number, 1, MAX_CALL_TIMEOUT_MS)) return undefined
        params.timeoutMs = value as number
        break
      case 'stream':
      case 'input':
        if (typeof value !== 'boolean') return undefined
        params[key] = value
        break
      default:
        return undefined
    }
  }
  return params.fn === '' ? undefined : params
}

function isText(value: unknown, least: number, most: number): value is string {
  return typeof value === 'string' && isBetween(value.length, least, most)
}

function isBetween(value: number, least: number, most: number): boolean {
  return value >= least && value <= most
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
