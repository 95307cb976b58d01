import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { EasyNetError } from '../../errors/error.ts'
import type { RouteComponents } from './components.ts'
import { eventStream } from '../sse.ts'
import { errors } from './responses.ts'

const events = createRoute({
  method: 'get',
  path: '/v1/events',
  summary: 'Everything that happens, as it happens',
  description: 'Server-sent events. Send Last-Event-ID to get what happened since, as far as it is kept.',
  tags: ['events'],
  request: { headers: z.object({ 'last-event-id': z.string().max(32).optional() }) },
  responses: {
    200: {
      description: 'Events: `id`, the type as `event`, and `{id, type, at, data}` as `data`.',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    ...errors(400),
  },
})

/** `GET /v1/events` */
export function addEventRoutes(app: OpenAPIHono, { node, closing }: RouteComponents): void {
  app.openapi(events, (c) => {
    const lastId = parseEventId(c.req.valid('header')['last-event-id'])
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

function parseEventId(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const id = Number(text)
  if (Number.isSafeInteger(id) && id >= 0) return id
  throw new EasyNetError('invalid_request', 'Last-Event-ID has to be the id of an event.')
}
