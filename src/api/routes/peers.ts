import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { RouteComponents } from './components.ts'
import { peerSchema, pingSchema } from '../schemas.ts'
import { errors, json } from './responses.ts'

const peerParam = z.object({
  peer: z
    .string()
    .min(1)
    .max(256)
    .openapi({ param: { name: 'peer', in: 'path' }, description: 'Peer id or name.' }),
})

const list = createRoute({
  method: 'get',
  path: '/v1/peers',
  summary: 'Devices that this one knows',
  tags: ['peers'],
  responses: { 200: json(z.object({ peers: z.array(peerSchema) }), 'All known peers.'), ...errors() },
})

const ping = createRoute({
  method: 'post',
  path: '/v1/peers/{peer}/ping',
  summary: 'Measure one round trip to a peer',
  tags: ['peers'],
  request: { params: peerParam },
  responses: { 200: json(pingSchema, 'It answered.'), ...errors(404, 503, 504) },
})

const block = createRoute({
  method: 'post',
  path: '/v1/peers/{peer}/block',
  summary: 'Refuse a peer, or allow it again',
  tags: ['peers'],
  request: {
    params: peerParam,
    body: {
      required: true,
      content: { 'application/json': { schema: z.strictObject({ blocked: z.boolean() }) } },
    },
  },
  responses: { 200: json(peerSchema, 'The peer as it is now.'), ...errors(400, 404, 413, 415) },
})

/** `GET /v1/peers`, `POST /v1/peers/{peer}/ping`, `POST /v1/peers/{peer}/block` */
export function addPeerRoutes(app: OpenAPIHono, { node }: RouteComponents): void {
  app.openapi(list, (c) => c.json({ peers: node.peers() }, 200))
  app.openapi(ping, async (c) => c.json(await node.ping(c.req.valid('param').peer, c.req.raw.signal), 200))
  app.openapi(block, async (c) => {
    const { blocked } = c.req.valid('json')
    return c.json(await node.blockPeer(c.req.valid('param').peer, blocked), 200)
  })
}
