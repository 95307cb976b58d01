import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { json } from './responses.ts'

const health = createRoute({
  method: 'get',
  path: '/v1/health',
  summary: 'Is the daemon there?',
  description: 'The one route that needs no token.',
  tags: ['daemon'],
  security: [],
  responses: { 200: json(z.object({ ok: z.literal(true) }), 'It is.') },
})

/** `GET /v1/health` */
export function addHealthRoutes(app: OpenAPIHono): void {
  app.openapi(health, (c) => c.json({ ok: true as const }, 200))
}
