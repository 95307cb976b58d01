import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { MetricsSource } from '../ports.ts'
import { curl, errors } from './responses.ts'

const metrics = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'readMetrics',
  summary: 'Read numbers for Prometheus',
  description: 'Calls, durations, peers, the event loop and the process; docs/guides/observability.md.',
  tags: ['daemon'],
  responses: {
    200: {
      description: 'Prometheus text format 0.0.4.',
      content: { 'text/plain': { schema: z.string() } },
    },
    ...errors(),
  },
  ...curl('curl -K "$AUTH" "$URL/metrics"'),
})

/** `GET /metrics` */
export function addMetricsRoute(app: OpenAPIHono, source: MetricsSource): void {
  app.openapi(metrics, async (c) => c.text(await source.text(), 200, { 'Content-Type': source.contentType }))
}
