import fc from 'fast-check'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type ApiDocument, apiDocument, operationsOf } from '../../scripts/api-docs/document.ts'
import { connect, type Mesh } from '../../src/sdk/index.ts'
import { eventually } from '../integration/support/eventually.ts'
import { type Daemon, startDaemon } from './support/daemon.ts'
import { addressOf } from './support/mesh.ts'
import { createConformance } from './support/openapi/conformance.ts'
import { type Answer, type Client, createClient, describeRequest } from './support/openapi/exchange.ts'
import {
  type Endpoint,
  type GeneratedRequest,
  refusedRequestsTo,
  requestsTo,
  validRequests,
} from './support/openapi/generated-request.ts'

// Every operation of the OpenAPI document against a real daemon, with generated requests. A new route is
// covered as soon as it is in the document.
//   HOSTILE_REQUESTS=20000   more of them
//   HOSTILE_SEED=123         the same ones again

const SEED = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 2 ** 31)
const REQUESTS = Number(process.env['HOSTILE_REQUESTS'] ?? 3_000)
const document = await apiDocument()
const endpoints = operationsOf(document)
const conformance = createConformance(document)

let daemon: Daemon
let neighbour: Daemon
let program: Mesh
let client: Client
/** Answers by operation and status. */
const counts: Record<string, Record<string, number>> = {}

beforeAll(async () => {
  // `desk`, `text.upper` and `count` are those of the examples, which are among the generated values.
  daemon = await startDaemon({ args: ['--name', 'laptop'] })
  neighbour = await startDaemon({ args: ['--name', 'desk', '--bootstrap', addressOf(daemon)] })
  program = await connect({ home: daemon.home })
  await program.register('text.upper', (...args: unknown[]) => args.slice(0, -1))
  await program.register('forever', async (ctx: { signal: AbortSignal }) => {
    await once(ctx.signal, 'abort')
  })
  client = createClient(daemon)
  await eventually(async () => (await (await daemon.fetch('/v1/peers')).text()).includes('desk'), 20_000)
})
afterAll(async () => {
  process.stderr.write(`\nHOSTILE_SEED=${SEED} HOSTILE_REQUESTS=${REQUESTS}\n${summary()}\n`)
  client?.[Symbol.dispose]()
  await program?.close()
  await neighbour?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})

/** Reasons for a 5xx that are the truth about a peer or a deadline, and not a failure of the daemon. */
const HONEST_5XX: Record<number, string[]> = { 503: ['peer_unreachable'], 504: ['deadline_exceeded'] }
const ERROR_CONTENT = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
/** What a method that a path does not have is answered with. */
const NO_OPERATION = {
  operationId: 'none',
  summary: '',
  tags: [],
  responses: Object.fromEntries(
    [400, 401, 403, 404, 413, 415, 421, 431].map((status) => [
      status,
      { description: '', content: ERROR_CONTENT },
    ]),
  ),
}

async function check(endpoint: Endpoint, request: GeneratedRequest): Promise<void> {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const operation =
    endpoints.find((one) => one.path === endpoint.path && one.method === method)?.operation ?? NO_OPERATION
  const contents = Object.keys(operation.responses['200']?.content ?? {})
  const answer = await client.send(request, contents.length === 1 && contents[0] === 'text/event-stream')
  const row = (counts[operation.operationId] ??= {})
  row[answer.status] = (row[answer.status] ?? 0) + 1
  const problems = [
    ...conformance.problemsOf(operation, request.method, answer),
    ...problemsOfStatus(answer, request, conformance.isValid(operation, request)),
  ]
  if (problems.length === 0) return
  const text = answer.body.toString().slice(0, 1_000)
  throw new Error(`${problems.join('\n')}\n\n${describeRequest(request)}\n\n${answer.status} ${text}`)
}

function problemsOfStatus(
  { status, headers, body }: Answer,
  { method, refusedAs }: GeneratedRequest,
  isValid: boolean | undefined,
): string[] {
  const problems = []
  const refusal =
    status >= 400 && method !== 'HEAD' ? (JSON.parse(body.toString()) as Refusal).error : undefined
  const isHonest = refusal !== undefined && HONEST_5XX[status]?.includes(refusal.reason)
  if (status >= 500 && isHonest !== true) problems.push('a failure of the daemon')
  if (status !== 101 && headers['x-content-type-options'] !== 'nosniff') problems.push('no security headers')
  // The HTTP server itself refuses what is no HTTP, before there is a request to guard.
  if (refusedAs !== undefined && ![refusedAs, 400, 431].includes(status)) {
    problems.push(`the guard should have said ${refusedAs}`)
  }
  if (refusedAs === undefined && isValid === false && status < 400) problems.push('accepted, but not valid')
  const isRejected = status === 400 && refusal?.message.includes(' is not valid. ') === true
  if (isValid === true && isRejected) problems.push('valid, but rejected')
  return problems
}

interface Refusal {
  error: { reason: string; message: string }
}

/** A share of the requests for an operation: more where there is more to say. */
function runsOf({ operation }: Endpoint, part: number): number {
  const weight = (one: Endpoint['operation']): number =>
    1 + (one.parameters?.length ?? 0) + (one.requestBody === undefined ? 0 : 6)
  const all = endpoints.reduce((sum, one) => sum + weight(one.operation), 0)
  return Math.ceil((part * REQUESTS * weight(operation)) / all)
}

async function run(
  endpoint: Endpoint,
  part: number,
  requests: fc.Arbitrary<GeneratedRequest>,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(requests, async (request) => check(endpoint, request)),
    { seed: SEED, numRuns: runsOf(endpoint, part) },
  )
}

const post = async (call: object, accept: string): Promise<Response> =>
  daemon.fetch('/v1/calls', {
    method: 'POST',
    body: JSON.stringify(call),
    headers: { 'content-type': 'application/json', accept },
  })

async function honestCall(): Promise<void> {
  const response = await post({ fn: 'text.upper', args: ['hi'] }, 'application/json')
  expect(await response.json()).toMatchObject({ result: ['hi'] })
}

/** The id of a call whose result is still kept. */
async function endedCall(): Promise<string> {
  const response = await post({ fn: 'text.upper', args: ['hi'] }, 'application/json')
  return ((await response.json()) as { id: string }).id
}

/** The id of a call that runs until it is cancelled, at the latest when the test ends. */
async function runningCall(): Promise<string> {
  const response = await post({ fn: 'forever' }, 'text/event-stream')
  onTestFinished(async () => response.body?.cancel())
  return response.headers.get('x-easynet-call-id') ?? ''
}

test('a daemon serves the document that docs/api.md is made of', async () => {
  const served = (await (await daemon.fetch('/v1/openapi.json')).json()) as ApiDocument
  expect(served).toEqual(document)
})

const ends = (endpoint: Endpoint): boolean => endpoint.operation.operationId === 'stopDaemon'

test.each(endpoints.filter((one) => !ends(one)).map((one) => [`${one.method} ${one.path}`, one] as const))(
  '%s: no failure, no hang, and every answer as documented',
  async (_, endpoint) => {
    const known = { id: [await endedCall(), await runningCall()] }
    await run(endpoint, 0.75, requestsTo(document, { ...endpoint, known }))
    // Without these the ones above might all have been refused at the door.
    known.id.push(await runningCall())
    await run(endpoint, 0.25, validRequests(document, { ...endpoint, known }))
    await honestCall()
    const statuses = Object.keys(counts[endpoint.operation.operationId] ?? {}).map(Number)
    const success = Object.keys(endpoint.operation.responses)
      .map(Number)
      .filter((status) => status < 400)
    expect(statuses).toEqual(expect.arrayContaining(success))
    expect(statuses.some((status) => status >= 400)).toBe(true)
  },
  // For the large runs on slow machines; each request has a deadline of its own.
  60_000 + 50 * REQUESTS,
)

test.each(endpoints.filter(ends).map((one) => [`${one.method} ${one.path}`, one] as const))(
  '%s: refused requests do not stop the daemon, the others do',
  async (_, endpoint) => {
    await run(endpoint, 1, refusedRequestsTo(document, endpoint))
    await honestCall()
    await using other = await startDaemon()
    using direct = createClient(other)
    const [request] = fc.sample(validRequests(document, endpoint), { seed: SEED, numRuns: 1 })
    const answer = await direct.send(request as GeneratedRequest, false)
    expect(answer.status).toBe(202)
    expect(conformance.problemsOf(endpoint.operation, endpoint.method, answer)).toEqual([])
    expect(await other.exited).toMatchObject({ code: 0 })
  },
)

test('afterwards the daemon is well: no error in its log, and it serves', async () => {
  await honestCall()
  expect(daemon.stderr().match(/.*"level":"(?:error|fatal)".*/g) ?? []).toEqual([])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

function summary(): string {
  const total = Object.values(counts)
    .flatMap((row) => Object.values(row))
    .reduce((sum, n) => sum + n, 0)
  const rows = Object.entries(counts).map(
    ([name, row]) =>
      `  ${name.padEnd(16)} ${Object.entries(row)
        .map(([status, n]) => `${status}: ${n}`)
        .join('  ')}`,
  )
  return [`${total} requests, answered with`, ...rows].join('\n')
}
