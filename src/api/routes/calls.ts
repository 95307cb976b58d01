// A call, first stop in the daemon: from here it goes to scheduler/caller.ts (behind the port NodeApi);
// before it cli/commands/call.ts or any HTTP client. Programs on the app connection come through attach/program-calls.ts instead.
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { EasyNetError } from '../../errors/error.ts'
import type { CallRequest, CallResult } from '../../model/call.ts'
import { fromPlainJson, toPlainJson } from '../../model/json.ts'
import type { CallOptions, NodeApi } from '../node-api.ts'
import type { RouteComponents } from './components.ts'
import { toCallRequest } from '../call-request.ts'
import { createCollector } from '../collect.ts'
import { errorBody, publicError } from '../errors.ts'
import { callDetailsSchema, callRecordSchema, callRequestSchema, callResultSchema } from '../schemas.ts'
import { type EventWriter, eventStream } from '../sse.ts'
import { errors, json } from './responses.ts'

const CALL_ID_HEADER = 'X-Easynet-Call-Id'

const create = createRoute({
  method: 'post',
  path: '/v1/calls',
  summary: 'Call a function',
  description:
    'Answers when the call has ended. With "Accept: text/event-stream" it streams the events accepted ' +
    '{id}, chunk {value}, progress {value}, log {level, message} and, last, result (as below) or error ' +
    '({error}). Without it the chunks of a streaming function become the result, when it returned ' +
    'null. Going away cancels the call.',
  tags: ['calls'],
  request: {
    headers: z.object({
      traceparent: z
        .string()
        .optional()
        .openapi({ description: 'W3C trace context for the function. One that is malformed is ignored.' }),
    }),
    body: { required: true, content: { 'application/json': { schema: callRequestSchema } } },
  },
  responses: {
    200: {
      description: 'The function returned.',
      headers: z.object({ [CALL_ID_HEADER]: z.string() }),
      content: {
        'application/json': { schema: callResultSchema },
        'text/event-stream': { schema: z.string() },
      },
    },
    ...errors(400, 404, 409, 413, 415, 429, 499, 503, 504),
  },
})

const list = createRoute({
  method: 'get',
  path: '/v1/calls',
  summary: 'Calls of this device, newest first',
  description: 'Without their results.',
  tags: ['calls'],
  responses: { 200: json(z.object({ calls: z.array(callRecordSchema) }), 'The calls.'), ...errors() },
})

const idParam = z.object({
  id: z
    .string()
    .min(1)
    .max(256)
    .openapi({ param: { name: 'id', in: 'path' } }),
})

const show = createRoute({
  method: 'get',
  path: '/v1/calls/{id}',
  summary: 'What became of a call',
  description: 'Asks the provider when this device does not know.',
  tags: ['calls'],
  request: { params: idParam },
  responses: { 200: json(callDetailsSchema, 'The call.'), ...errors(404) },
})

const cancel = createRoute({
  method: 'delete',
  path: '/v1/calls/{id}',
  summary: 'Cancel a running call',
  tags: ['calls'],
  request: { params: idParam },
  responses: { 204: { description: 'It was told to stop.' }, ...errors(404) },
})

/** `POST /v1/calls`, `GET /v1/calls`, `GET /v1/calls/{id}`, `DELETE /v1/calls/{id}` */
export function addCallRoutes(app: OpenAPIHono, { node }: RouteComponents): void {
  app.openapi(create, async (c) => {
    const { traceparent } = c.req.valid('header')
    const request = toCallRequest({ ...c.req.valid('json'), traceparent }, fromPlainJson)
    const wantsEvents = (c.req.header('accept') ?? '').toLowerCase().includes('text/event-stream')
    if (wantsEvents) return streamCall(node, request, c.req.raw.signal)
    const result = await collectCall(node, request, {
      signal: c.req.raw.signal,
      onAccepted: (id) => c.header(CALL_ID_HEADER, id),
    })
    return c.json(resultJson(result), 200)
  })
  app.openapi(list, (c) =>
    c.json({ calls: node.calls().map((record) => ({ ...record, result: undefined })) }, 200),
  )
  app.openapi(show, async (c) => {
    const { id } = c.req.valid('param')
    const { signal } = c.req.raw
    const [{ result, ...record }, steps] = await Promise.all([
      node.callRecord(id, signal),
      node.callTimeline(id, signal),
    ])
    const known = { ...record, ...steps }
    return c.json(result === undefined ? known : { ...known, result: toPlainJson(result) }, 200)
  })
  app.openapi(cancel, (c) => {
    node.cancelCall(c.req.valid('param').id)
    return c.body(null, 204)
  })
}

async function collectCall(node: NodeApi, request: CallRequest, options: CallOptions): Promise<CallResult> {
  const overflow = new AbortController()
  const collector = createCollector((error) => overflow.abort(error))
  const signal =
    options.signal === undefined ? overflow.signal : AbortSignal.any([options.signal, overflow.signal])
  const sink = { ...collector, progress: () => undefined, log: () => undefined }
  return collector.withChunks(await node.call(request, sink, { ...options, signal }))
}

/** Answers once the id is known, so that it can be a header; what comes before waits in the stream. */
async function streamCall(node: NodeApi, request: CallRequest, client: AbortSignal): Promise<Response> {
  const reader = new AbortController()
  const signal = AbortSignal.any([client, reader.signal])
  const headers: Record<string, string> = {}
  const { promise: idKnown, resolve: tellId } = Promise.withResolvers<void>()
  const response = eventStream(
    async (writer) => {
      await writeCall(node, request, writer, {
        signal,
        onAccepted: (id) => {
          headers[CALL_ID_HEADER] = id
          tellId()
        },
      })
      tellId()
    },
    { cancelled: () => reader.abort(new EasyNetError('cancelled', 'The program went away.')) },
  )
  await idKnown
  for (const [name, text] of Object.entries(headers)) response.headers.set(name, text)
  return response
}

async function writeCall(
  node: NodeApi,
  request: CallRequest,
  writer: EventWriter,
  { signal, onAccepted }: CallOptions,
): Promise<void> {
  try {
    const result = await node.call(
      request,
      {
        chunk: (value) => writer.send({ type: 'chunk', data: { value: toPlainJson(value) } }),
        progress: (value) => sendIfRoom(writer, 'progress', { value: toPlainJson(value) }),
        log: (entry) => sendIfRoom(writer, 'log', entry),
      },
      {
        signal,
        onAccepted: (id) => {
          onAccepted?.(id)
          void writer.send({ type: 'accepted', data: { id } })
        },
      },
    )
    await writer.send({ type: 'result', data: resultJson(result) })
  } catch (thrown) {
    await writer.send({ type: 'error', data: errorBody(publicError(thrown)) })
  }
}

function sendIfRoom(writer: EventWriter, type: string, data: object): void {
  if (!writer.isBehind) void writer.send({ type, data })
}

function resultJson(result: CallResult) {
  return { ...result, result: toPlainJson(result.result) }
}
