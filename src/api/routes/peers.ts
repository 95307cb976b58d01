import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { RouteComponents } from './components.ts'
import { EXAMPLE_PEERS, peerSchema, pingSchema } from '../schemas.ts'
import { curl, errors, json, NOT_JSON } from './responses.ts'

const peerParam = z.object({
  peer: z
    .string()
    .min(1)
    .max(256)
    .describe('Peer id, the end of one, or a name that only one device has.')
    .openapi({ param: { name: 'peer', in: 'path' }, example: EXAMPLE_PEERS.other.name }),
})

const UNKNOWN_PEER = '`unknown_peer`: no device is known by that id or name.'

const blockSchema = z
  .strictObject({ blocked: z.boolean().describe('False: allow it again.') })
  .openapi('BlockRequest', { example: { blocked: true } })

const list = createRoute({
  method: 'get',
  path: '/v1/peers',
  operationId: 'listPeers',
  summary: 'List the devices that this one knows',
  description: 'Connected or not. It does not list itself.',
  tags: ['peers'],
  responses: { 200: json(z.object({ peers: z.array(peerSchema) }), 'All known peers.'), ...errors() },
  ...curl('curl -K "$AUTH" "$URL/v1/peers"'),
})

const ping = createRoute({
  method: 'post',
  path: '/v1/peers/{peer}/ping',
  operationId: 'pingPeer',
  summary: 'Measure one round trip to a peer',
  description: 'Connects to it first when there is no connection.',
  tags: ['peers'],
  request: { params: peerParam },
  responses: {
    200: json(pingSchema, 'It answered.'),
    ...errors({
      ...NOT_JSON,
      404: UNKNOWN_PEER,
      503: '`peer_unreachable`: no connection to it could be made, or it broke.',
      504: '`deadline_exceeded`: it did not answer in time.',
    }),
  },
  ...curl('curl -K "$AUTH" -X POST "$URL/v1/peers/desk/ping"'),
})

const block = createRoute({
  method: 'post',
  path: '/v1/peers/{peer}/block',
  operationId: 'blockPeer',
  summary: 'Refuse a peer, or allow it again',
  description:
    'A blocked peer is disconnected, cannot connect, and is not called. It stays so when the daemon restarts.',
  tags: ['peers'],
  request: {
    params: peerParam,
    body: {
      required: true,
      content: { 'application/json': { schema: blockSchema } },
    },
  },
  responses: {
    200: json(peerSchema, 'The peer as it is now.'),
    ...errors({ ...NOT_JSON, 404: UNKNOWN_PEER }),
  },
  ...curl(
    `curl -K "$AUTH" "$URL/v1/peers/desk/block" -H 'Content-Type: application/json' -d '{"blocked": true}'`,
    `curl -K "$AUTH" "$URL/v1/peers/desk/block" -H 'Content-Type: application/json' -d '{"blocked": false}'`,
  ),
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
