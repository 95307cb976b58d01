import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { curl, errors } from './responses.ts'

/**
 * Puts `GET /v1/attach` into the document. It is no route: the HTTP server hands requests with an upgrade
 * to `attach/programs.ts`, and the others are unknown here.
 */
export function describeAttach(app: OpenAPIHono): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/v1/attach',
    operationId: 'attachProgram',
    summary: 'Attach a program that offers functions or makes many calls',
    description:
      'Upgrades the connection to a duplex one that carries JSON-RPC 2.0 both ways, with bytes beside it: ' +
      'newline-delimited JSON with `Upgrade: easynet`, or a WebSocket. The SDKs use it; ' +
      'docs/spec/attach.md specifies it. At most 64 programs are attached at a time.',
    tags: ['programs'],
    request: {
      headers: z.object({
        upgrade: z
          .enum(['easynet', 'websocket'])
          .describe('The framing; `Connection: Upgrade` has to go with it.')
          .openapi({ example: 'easynet' }),
        'sec-websocket-protocol': z
          .string()
          .optional()
          .describe('Only for WebSockets that cannot set headers: `easynet.v1, bearer.<token>`.'),
      }),
    },
    responses: {
      101: { description: 'The connection now speaks the protocol of docs/spec/attach.md.' },
      ...errors({
        404: '`unknown_route`: the request has no `Upgrade` that is known here.',
        429: '`too_many_calls`: 64 programs are attached already.',
        503: '`draining`: the daemon is stopping.',
      }),
    },
    ...curl(
      '# waits two seconds for what the daemon says; a program would now send its requests',
      `curl -K "$AUTH" -i -N -m 2 "$URL/v1/attach" -H 'Connection: Upgrade' -H 'Upgrade: easynet'`,
    ),
  })
}
