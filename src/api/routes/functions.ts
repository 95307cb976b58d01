import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { EasyNetError } from '../../errors/error.ts'
import type { RouteComponents } from './components.ts'
import { functionSchema } from '../schemas.ts'
import { curl, errors, json } from './responses.ts'

/** What the list of functions can be narrowed to, here and on the app connection. */
export const functionQuerySchema = z.strictObject({
  scope: z
    .enum(['local', 'mesh'])
    .default('mesh')
    .describe('`local`: only what this device offers.')
    .openapi({ example: 'mesh' }),
  q: z
    .string()
    .max(256)
    .optional()
    .describe('Words; each has to be part of its name, description or a tag.')
    .openapi({ example: 'upper' }),
})

const list = createRoute({
  method: 'get',
  path: '/v1/functions',
  operationId: 'listFunctions',
  summary: 'List the functions that can be called',
  description: 'Those of this device and those that other devices have announced to it.',
  tags: ['functions'],
  request: { query: functionQuerySchema },
  responses: {
    200: json(z.object({ functions: z.array(functionSchema) }), 'The matching functions.'),
    ...errors(),
  },
  ...curl('curl -K "$AUTH" "$URL/v1/functions?scope=mesh&q=upper"'),
})

const show = createRoute({
  method: 'get',
  path: '/v1/functions/{name}',
  operationId: 'showFunction',
  summary: 'Show one function and who offers it',
  description: 'Asks the mesh when nobody has announced it to this device yet.',
  tags: ['functions'],
  request: {
    params: z.object({
      name: z
        .string()
        .min(1)
        .max(256)
        .describe('Its name, without peer and version.')
        .openapi({ param: { name: 'name', in: 'path' }, example: 'text.upper' }),
    }),
  },
  responses: {
    200: json(functionSchema, 'The function.'),
    ...errors({ 404: '`unknown_function`: nobody offers it.' }),
  },
  ...curl('curl -K "$AUTH" "$URL/v1/functions/text.upper"'),
})

/** `GET /v1/functions`, `GET /v1/functions/{name}` */
export function addFunctionRoutes(app: OpenAPIHono, { node }: RouteComponents): void {
  app.openapi(list, (c) => {
    const { scope, q } = c.req.valid('query')
    return c.json({ functions: node.functions({ scope, ...(q === undefined ? {} : { q }) }) }, 200)
  })
  app.openapi(show, async (c) => {
    const { name } = c.req.valid('param')
    const known = node.functions({ scope: 'mesh' }).find((fn) => fn.name === name)
    const found = known ?? (await node.findFunction(name, c.req.raw.signal))
    if (found === undefined) {
      throw new EasyNetError('unknown_function', `Nobody offers "${name.slice(0, 200)}".`, {
        hint: 'List what there is: easynet fn ls',
      })
    }
    return c.json(found, 200)
  })
}
