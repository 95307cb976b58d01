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
import { callEvents } from '../event-schemas.ts'
import {
  callDetailsSchema,
  callRecordSchema,
  callRequestSchema,
  callResultSchema,
  EXAMPLE_CALL_ID,
} from '../schemas.ts'
import { type EventWriter, eventStream } from '../sse.ts'
import { addEventSchemas, curl, errors, eventContent, json, NOT_JSON } from './responses.ts'

const CALL_ID_HEADER = 'X-Easynet-Call-Id'

const create = createRoute({
  method: 'post',
  path: '/v1/calls',
  operationId: 'callFunction',
  summary: 'Call a function',
  description:
    'Answers when the call has ended. The chunks of a streaming function become the result, when it ' +
    'returned null. Closing the connection cancels the call.\n\n' +
    'With `Accept: text/event-stream` the answer is a stream of server-sent events that begins at once: ' +
    'first `accepted`, then `chunk`, `progress` and `log` as they come, and last, always, either `result` ' +
    'or `error`. Its status is 200 even when the call fails.\n\n' +
    'The status of an error is that of its `code`; a failure of the function itself is 500 with the ' +
    'reason `function_error`. A call runs at most once unless its function is idempotent.',
  tags: ['calls'],
  request: {
    headers: z.object({
      traceparent: z
        .string()
        .optional()
        .describe('W3C trace context for the function. One that is malformed is ignored.')
        .openapi({ example: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }),
    }),
    body: { required: true, content: { 'application/json': { schema: callRequestSchema } } },
  },
  responses: {
    200: {
      description: 'The function returned.',
      headers: z.object({
        [CALL_ID_HEADER]: z
          .string()
          .optional()
          .describe('The id of the call. Absent from a stream whose call was refused before it had one.'),
      }),
      content: {
        'application/json': { schema: callResultSchema },
        ...eventContent(callEvents),
      },
    },
    ...errors({
      ...NOT_JSON,
      404: '`no_provider`: nobody offers it now. `unknown_function`: the device that was asked does not. `unknown_peer`: no such device.',
      409: '`interrupted`: it had started and was cut off. `duplicate_call`: it ran before, and how it ended is not kept any more.',
      429: '`queue_full`, `too_many_calls`: nothing has run, try later.',
      499: '`cancelled`: somebody cancelled it.',
      503: '`peer_unreachable`, `draining`: nothing has run, try later.',
      504: '`deadline_exceeded`: its time was over. The function was told to stop.',
    }),
  },
  ...curl(
    `curl -K "$AUTH" "$URL/v1/calls" -H 'Content-Type: application/json' \\`,
    `  -d '{"fn": "text.upper", "args": ["hi"], "timeoutMs": 5000}'`,
    '',
    '# the items of a streaming function as they come',
    `curl -K "$AUTH" -N "$URL/v1/calls" -H 'Accept: text/event-stream' -H 'Content-Type: application/json' \\`,
    `  -d '{"fn": "count", "args": [3]}'`,
  ),
})

const list = createRoute({
  method: 'get',
  path: '/v1/calls',
  operationId: 'listCalls',
  summary: 'List the calls of this device, newest first',
  description: 'The last 200, without their results.',
  tags: ['calls'],
  responses: { 200: json(z.object({ calls: z.array(callRecordSchema) }), 'The calls.'), ...errors() },
  ...curl('curl -K "$AUTH" "$URL/v1/calls"'),
})

const idParam = z.object({
  id: z
    .string()
    .min(1)
    .max(256)
    .describe('The id of a call: `id` of its result, or the header `X-Easynet-Call-Id`.')
    .openapi({ param: { name: 'id', in: 'path' }, example: EXAMPLE_CALL_ID }),
})

const show = createRoute({
  method: 'get',
  path: '/v1/calls/{id}',
  operationId: 'showCall',
  summary: 'Ask what became of a call',
  description:
    'With its result, while that is kept, and its steps. Asks the provider when this device does not know ' +
    'how it ended. Also finds calls that an earlier run of the daemon made.',
  tags: ['calls'],
  request: { params: idParam },
  responses: {
    200: json(callDetailsSchema, 'The call.'),
    ...errors({ 404: '`unknown_call`: no call with that id is known here.' }),
  },
  ...curl(
    '# the newest call',
    `ID=$(curl -K "$AUTH" "$URL/v1/calls" | sed 's/^{"calls":\\[{"id":"\\([^"]*\\)".*/\\1/')`,
    'curl -K "$AUTH" "$URL/v1/calls/$ID"',
  ),
})

const cancel = createRoute({
  method: 'delete',
  path: '/v1/calls/{id}',
  operationId: 'cancelCall',
  summary: 'Cancel a running call',
  description: 'The function is told to stop; what it did stays done. The call itself ends with `cancelled`.',
  tags: ['calls'],
  request: { params: idParam },
  responses: {
    204: { description: 'It was told to stop.' },
    ...errors({ 404: '`unknown_call`: no call with that id is running.' }),
  },
  ...curl(
    '# a call that runs on, and its id',
    `curl -K "$AUTH" -N "$URL/v1/calls" -H 'Accept: text/event-stream' -H 'Content-Type: application/json' \\`,
    `  -d '{"fn": "count", "args": [1000]}' > events &`,
    'until grep -q accepted events; do sleep 0.1; done',
    `ID=$(sed -n 's/^data: {"id":"\\([^"]*\\)"}$/\\1/p' events)`,
    '',
    'curl -K "$AUTH" -X DELETE "$URL/v1/calls/$ID"',
  ),
})

/** `POST /v1/calls`, `GET /v1/calls`, `GET /v1/calls/{id}`, `DELETE /v1/calls/{id}` */
export function addCallRoutes(app: OpenAPIHono, { node }: RouteComponents): void {
  addEventSchemas(app, callEvents)
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
