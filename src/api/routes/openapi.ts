import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { curl, errors, json } from './responses.ts'

const openapi = createRoute({
  method: 'get',
  path: '/v1/openapi.json',
  operationId: 'describe',
  summary: 'Get this description',
  description: 'The document that docs/api.md is made of, for tools that generate clients.',
  tags: ['daemon'],
  responses: { 200: json(z.record(z.string(), z.unknown()), 'OpenAPI 3.1.'), ...errors() },
  ...curl('curl -K "$AUTH" "$URL/v1/openapi.json"'),
})

const ABOUT = {
  openapi: '3.1.0',
  info: {
    title: 'EasyNet control API',
    version: '1',
    description:
      'The daemon of this device. `docs/api.md` says how to find it and what all operations have in common.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [
    { url: 'http://127.0.0.1:7677', description: 'The address of a daemon is in its run/daemon.json.' },
  ],
  security: [{ bearer: [] }],
  tags: [
    {
      name: 'calls',
      description: 'Call functions, wherever they are offered, and see what became of calls.',
    },
    { name: 'functions', description: 'What can be called.' },
    { name: 'peers', description: 'The other devices.' },
    { name: 'events', description: 'What happens.' },
    { name: 'programs', description: 'The connection for programs that offer functions.' },
    { name: 'daemon', description: 'The daemon itself.' },
  ],
}

/** `GET /v1/openapi.json`: describes all routes that are there when it is asked for. */
export function addOpenApiRoute(app: OpenAPIHono): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'The content of run/token. It is new at every start of the daemon.',
  })
  let document: Record<string, unknown> | undefined
  app.openapi(openapi, (c) => {
    document ??= { ...app.getOpenAPI31Document(ABOUT) }
    return c.json(document, 200)
  })
}
