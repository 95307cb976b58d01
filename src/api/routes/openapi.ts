import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { errors, json } from './responses.ts'

const openapi = createRoute({
  method: 'get',
  path: '/v1/openapi.json',
  summary: 'This description',
  tags: ['daemon'],
  responses: { 200: json(z.record(z.string(), z.unknown()), 'OpenAPI 3.1.'), ...errors() },
})

const INFO = {
  openapi: '3.1.0',
  info: {
    title: 'EasyNet control API',
    version: '1',
    description:
      'The daemon of this device. Programs that offer functions use GET /v1/attach (docs/spec/attach.md).',
  },
  security: [{ bearer: [] }],
}

/** `GET /v1/openapi.json`. Add it last: it describes the routes that are there. */
export function addOpenApiRoute(app: OpenAPIHono): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  let document: Record<string, unknown> | undefined
  app.openapi(openapi, (c) => {
    document ??= { ...app.getOpenAPI31Document(INFO) }
    return c.json(document, 200)
  })
}
