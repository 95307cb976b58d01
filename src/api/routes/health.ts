import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { curl, json, openErrors } from './responses.ts'

const health = createRoute({
  method: 'get',
  path: '/v1/health',
  operationId: 'checkHealth',
  summary: 'Check that the daemon is there',
  description: 'The one operation that needs no token.',
  tags: ['daemon'],
  security: [],
  responses: { 200: json(z.object({ ok: z.literal(true) }), 'It is.'), ...openErrors() },
  ...curl('curl "$URL/v1/health"'),
})

/** `GET /v1/health` */
export function addHealthRoutes(app: OpenAPIHono): void {
  app.openapi(health, (c) => c.json({ ok: true as const }, 200))
}
