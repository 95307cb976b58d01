import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { RouteComponents } from './components.ts'
import { curl, errors, json, NOT_JSON } from './responses.ts'

const shutdown = createRoute({
  method: 'post',
  path: '/v1/shutdown',
  operationId: 'stopDaemon',
  summary: 'Stop the daemon',
  description: 'As SIGTERM does: running calls get time to finish. Answers before it stops.',
  tags: ['daemon'],
  responses: { 202: json(z.object({ ok: z.literal(true) }), 'It is stopping.'), ...errors(NOT_JSON) },
  ...curl('curl -K "$AUTH" -X POST "$URL/v1/shutdown"'),
})

/** `POST /v1/shutdown` */
export function addShutdownRoutes(app: OpenAPIHono, { node }: RouteComponents): void {
  app.openapi(shutdown, (c) => {
    // The answer leaves first.
    setImmediate(() => node.shutdown())
    return c.json({ ok: true as const }, 202)
  })
}
