import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { ZodType } from 'zod'
import type { EventSchemas } from '../event-schemas.ts'
import { errorSchema } from '../schemas.ts'

type Refusal = ReturnType<typeof refusal>
const refusal = (description: string) => ({
  description,
  content: { 'application/json': { schema: errorSchema } },
})

/** What the guard and the HTTP server answer, before any route is looked at. */
const ALWAYS = {
  400: refusal('The request is not valid.'),
  403: refusal('The request comes from a web page elsewhere.'),
  408: refusal('The request took longer than 10 s for its headers, or 30 s in all.'),
  413: refusal('The body is larger than 16 MiB.'),
  421: refusal('The Host header does not name this daemon.'),
  431: refusal('The headers and the path are larger than 8 KiB.'),
  500: refusal('The daemon failed; its log says more.'),
}

/** What else an operation may answer: why, by status. */
type Refusals = Partial<Record<401 | 404 | 409 | 415 | 429 | 499 | 503 | 504, string>>

/** For operations with a method that takes a body. */
export const NOT_JSON = { 415: 'The body is not application/json.' }

/** A success with a JSON body. */
export function json<T extends ZodType>(schema: T, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

/** The errors that an operation without a token documents. */
export function openErrors(own: Refusals = {}) {
  const refusals = Object.entries(own).map(([status, why]) => [status, refusal(why)] as const)
  return { ...ALWAYS, ...(Object.fromEntries(refusals) as Record<keyof Refusals, Refusal>) }
}

/** The errors that an operation documents: those of every operation and its own. */
export function errors(own: Refusals = {}) {
  return openErrors({ 401: 'The token is missing or wrong.', ...own })
}

/** A command that shows how to use an operation. `$URL` and `$AUTH`: docs/api.md, "First request". */
export function curl(...lines: string[]) {
  return { 'x-codeSamples': [{ lang: 'Shell', label: 'curl', source: lines.join('\n') }] }
}

/**
 * A stream of server-sent events. OpenAPI 3.1 has no words for what is inside a stream, so the extension
 * `x-events` names the schema of each event's `data` by its type.
 */
export function eventContent(events: EventSchemas) {
  const refs = Object.entries(events).map(([type, [name]]) => [
    type,
    { $ref: `#/components/schemas/${name}` },
  ])
  return { 'text/event-stream': { schema: z.string(), 'x-events': Object.fromEntries(refs) as object } }
}

/** Puts the schemas that {@link eventContent} names into the document of `app`. */
export function addEventSchemas(app: OpenAPIHono, events: EventSchemas): void {
  for (const [name, schema] of Object.values(events)) app.openAPIRegistry.register(name, schema)
}
