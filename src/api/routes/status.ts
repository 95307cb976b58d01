import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import type { RouteComponents } from './components.ts'
import { statusSchema } from '../schemas.ts'
import { curl, errors, json } from './responses.ts'

const status = createRoute({
  method: 'get',
  path: '/v1/status',
  operationId: 'readStatus',
  summary: 'Read who this device is and how it is doing',
  tags: ['daemon'],
  responses: { 200: json(statusSchema, 'The state right now.'), ...errors() },
  ...curl('curl -K "$AUTH" "$URL/v1/status"'),
})

/** `GET /v1/status` */
export function addStatusRoutes(app: OpenAPIHono, { node }: RouteComponents): void {
  app.openapi(status, (c) => c.json(node.status(), 200))
}
