import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { EasyNetError } from '../errors/error.ts'
import { errorBody, httpStatus, invalidRequest, isUnexpected, publicError } from './errors.ts'
import type { ApiLogger } from './ports.ts'
import { describeAttach } from './routes/attach.ts'
import { addCallRoutes } from './routes/calls.ts'
import type { RouteComponents } from './routes/components.ts'
import { addEventRoutes } from './routes/events.ts'
import { addFunctionRoutes } from './routes/functions.ts'
import { addHealthRoutes } from './routes/health.ts'
import { addOpenApiRoute } from './routes/openapi.ts'
import { addMetricsRoute } from './routes/metrics.ts'
import { addPeerRoutes } from './routes/peers.ts'
import { addShutdownRoutes } from './routes/shutdown.ts'
import { addStatusRoutes } from './routes/status.ts'

/** All routes behind one `fetch`. The guard has let the request in before. */
export function createApp(components: RouteComponents, logger: ApiLogger): OpenAPIHono {
  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error, placeOf(result.target))
    },
  })
  addHealthRoutes(app)
  addStatusRoutes(app, components)
  addPeerRoutes(app, components)
  addFunctionRoutes(app, components)
  addCallRoutes(app, components)
  addEventRoutes(app, components)
  describeAttach(app)
  if (components.metrics !== undefined) addMetricsRoute(app, components.metrics)
  addOpenApiRoute(app)
  addShutdownRoutes(app, components)

  app.notFound((c) => refuse(c, unknownRoute(c.req.method, c.req.path)))
  app.onError((thrown, c) => {
    const error = thrown instanceof HTTPException ? translate(thrown) : publicError(thrown)
    if (isUnexpected(error)) logger.error({ err: thrown, path: c.req.path }, 'A request failed')
    return refuse(c, error)
  })
  return app
}

function refuse(c: Context, error: EasyNetError): Response {
  // 499 is not among the statuses that Hono's types know.
  return c.json(errorBody(error), httpStatus(error) as 500)
}

function unknownRoute(method: string, path: string): EasyNetError {
  return new EasyNetError('unknown_route', `There is no ${method.slice(0, 16)} ${path.slice(0, 200)}.`, {
    hint: 'All routes are listed in GET /v1/openapi.json.',
  })
}

function placeOf(target: string): string {
  return target === 'json' ? 'body' : target
}

// Hono reports malformed JSON and media types that way.
function translate(thrown: HTTPException): EasyNetError {
  if (thrown.status === 415) {
    return new EasyNetError('unsupported_media_type', 'The body has to be JSON.', {
      hint: 'Send "Content-Type: application/json".',
    })
  }
  if (thrown.status === 400) return new EasyNetError('invalid_request', 'The body is not valid JSON.')
  return publicError(thrown)
}
