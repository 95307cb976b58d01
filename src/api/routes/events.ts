import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { RouteComponents } from './components.ts'
import { EVENT_STREAM_HEADERS, eventStream } from '../sse.ts'
import { nodeEvents } from '../event-schemas.ts'
import { addEventSchemas, curl, errors, eventContent } from './responses.ts'

const events = createRoute({
  method: 'get',
  path: '/v1/events',
  operationId: 'watchEvents',
  summary: 'Watch everything that happens, as it happens',
  description:
    'Server-sent events without end. After a broken connection send the `id` of the last event that you ' +
    'have as `Last-Event-ID`: you get what happened since, as far as it is among the last 1,024 events; ' +
    '`missed` in the first one counts those that are gone. Without it you get what happens from now on, ' +
    'with `Last-Event-ID: 0` everything that is kept. An id of an earlier run of the daemon gets ' +
    'everything that is kept.\n\n' +
    'A comment line comes every 15 s, so that a connection that broke silently is noticed.',
  tags: ['events'],
  request: {
    headers: z.object({
      'last-event-id': z
        .string()
        .regex(/^\d{0,16}$/, 'has to be the id of an event')
        .optional()
        .describe('The `id` of the last event that you have.')
        .openapi({ example: '0' }),
    }),
  },
  responses: {
    200: {
      description: 'The events. `event` is the type, `data` is `{id, type, at, data}`.',
      content: eventContent(nodeEvents),
    },
    ...errors(),
  },
  ...curl(
    '# two seconds of it, with everything that is kept',
    `curl -K "$AUTH" -N -m 2 "$URL/v1/events" -H 'Last-Event-ID: 0'`,
  ),
})

/** `GET /v1/events` */
export function addEventRoutes(app: OpenAPIHono, { node, closing }: RouteComponents): void {
  addEventSchemas(app, nodeEvents)
  app.openapi(events, (c) => {
    const given = c.req.valid('header')['last-event-id'] ?? ''
    const lastId = given === '' ? undefined : Number(given)
    // Hono answers HEAD by this same route and drops the body, which nobody would end.
    if (c.req.method === 'HEAD') return c.body(null, 200, EVENT_STREAM_HEADERS)
    const reader = new AbortController()
    const signal = AbortSignal.any([closing, reader.signal])
    return eventStream(
      async (writer) => {
        for await (const event of node.events.follow(lastId, signal)) {
          await writer.send({ type: event.type, data: event, id: event.id })
        }
      },
      { signal, cancelled: () => reader.abort() },
    )
  })
}
