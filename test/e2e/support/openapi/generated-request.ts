import fc from 'fast-check'
import {
  type ApiDocument,
  type Operation,
  type Parameter,
  type Schema,
} from '../../../../scripts/api-docs/document.ts'
import { nastyBodies, nastyBytes, nastyHeaders, nastyJson, nastyKeys, nastyTargets } from './nasty.ts'
import { validValues } from './schema-values.ts'

/** A request to one operation, valid or not. TOKEN and PORT stand for those of the daemon. */
export interface GeneratedRequest {
  method: string
  target: string
  /** In order, the same name more than once if need be. */
  headers: [name: string, value: string][]
  body?: Buffer | undefined
  /** What the parameters were before they became text; absent once they were tampered with. */
  parameters?: { in: Parameter['in']; name: string; value: unknown }[] | undefined
  /** Statuses with which the guard has to refuse it, whatever else is wrong. */
  refusedAs?: number | undefined
}

type Mutation = (request: GeneratedRequest) => GeneratedRequest
type Part = [key: string, json: string]

export interface Endpoint {
  method: string
  path: string
  operation: Operation
  /** Values of parameters that mean something to the daemon now, by name. */
  known?: Record<string, string[]>
}

/** Requests to an operation: as the document describes them, and the same with one or two things wrong. */
export function requestsTo(document: ApiDocument, endpoint: Endpoint): fc.Arbitrary<GeneratedRequest> {
  const mutations = fc.oneof(
    { weight: 4, arbitrary: fc.constant<Mutation[]>([]) },
    { weight: 8, arbitrary: fc.array(dataMutations(document, endpoint), { minLength: 1, maxLength: 2 }) },
    { weight: 2, arbitrary: fc.tuple(guardMutations(endpoint)) },
    { weight: 1, arbitrary: fc.tuple(dataMutations(document, endpoint), guardMutations(endpoint)) },
  )
  return fc
    .tuple(validRequests(document, endpoint), mutations)
    .map(([request, changes]) => changes.reduce((changed, change) => change(changed), request))
}

/** Requests that the guard has to refuse. */
export function refusedRequestsTo(document: ApiDocument, endpoint: Endpoint): fc.Arbitrary<GeneratedRequest> {
  return fc
    .tuple(validRequests(document, endpoint), guardMutations(endpoint))
    .map(([request, change]) => change(request))
}

/** Requests with nothing wrong. */
export function validRequests(
  document: ApiDocument,
  { method, path, operation, known = {} }: Endpoint,
): fc.Arbitrary<GeneratedRequest> {
  const parameters = operation.parameters ?? []
  const values = fc.record(
    Object.fromEntries(
      parameters.map((one) => [one.in + one.name, parameterValues(document, one, known[one.name])]),
    ),
    { requiredKeys: parameters.filter((one) => one.required).map((one) => one.in + one.name) },
  )
  const schema = operation.requestBody?.content['application/json']?.schema
  const bodies = schema === undefined ? fc.constant(undefined) : validValues(document, schema)
  const accepts = Object.keys(operation.responses['200']?.content ?? {})
  return fc
    .record({ values, body: bodies, accept: fc.constantFrom(undefined, '*/*', ...accepts) })
    .map(({ values, body, accept }) => {
      const given = parameters
        .filter((one) => Object.hasOwn(values, one.in + one.name))
        .map((one) => ({ ...one, value: values[one.in + one.name] }))
      const of = (place: Parameter['in']) => given.filter((one) => one.in === place)
      const filled = of('path').reduce(
        (text, { name, value }) => text.replace(`{${name}}`, encodeURIComponent(String(value))),
        path,
      )
      const query = of('query').map(({ name, value }) => `${name}=${encodeURIComponent(String(value))}`)
      const headers = of('header').map(({ name, value }): [string, string] => [name, String(value)])
      return {
        method,
        target: query.length === 0 ? filled : `${filled}?${query.join('&')}`,
        headers: [
          ['Host', '127.0.0.1:PORT'],
          ['Authorization', 'Bearer TOKEN'],
          ...(accept === undefined ? [] : ([['Accept', accept]] as [string, string][])),
          ...(body === undefined ? [] : ([['Content-Type', 'application/json']] as [string, string][])),
          ...headers,
          ...upgradeHeaders(headers),
        ],
        body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
        parameters: given.map(({ in: place, name, value }) => ({ in: place, name, value })),
      }
    })
}

function parameterValues(
  document: ApiDocument,
  parameter: Parameter,
  known: string[] = [],
): fc.Arbitrary<unknown> {
  const values = validValues(document, parameter.schema)
  if (known.length > 0) return fc.oneof(values, fc.constantFrom(...known))
  // Other characters cannot be in a header; spaces around it are not part of the value.
  return parameter.in === 'header' ? values.map((text) => String(text).replaceAll(/[^!-~]/g, '')) : values
}

/** What HTTP demands beside an Upgrade. */
function upgradeHeaders(headers: [string, string][]): [string, string][] {
  const protocol = headers.find(([name]) => name === 'upgrade')?.[1]
  if (protocol === undefined) return []
  const webSocket: [string, string][] = [
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ]
  return [['Connection', 'Upgrade'], ...(protocol === 'websocket' ? webSocket : [])]
}

const withHeader = (
  request: GeneratedRequest,
  name: string,
  value: string | undefined,
): GeneratedRequest => ({
  ...request,
  headers: [
    ...request.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase()),
    ...(value === undefined ? [] : ([[name, value]] as [string, string][])),
  ],
})

/** Wrong Host, wrong page, wrong token: refused by the guard before anything else is looked at. */
function guardMutations({ path }: Endpoint): fc.Arbitrary<Mutation> {
  const refuse =
    (status: number, name: string, value: string | undefined): Mutation =>
    (request) => ({ ...withHeader(request, name, value), refusedAs: status })
  const hosts = ['evil.test', '127.0.0.1', '0.0.0.0:PORT', '', undefined].map((host) =>
    refuse(421, 'Host', host),
  )
  const pages = [
    refuse(403, 'Origin', 'null'),
    refuse(403, 'Origin', 'http://evil.test'),
    refuse(403, 'Referer', 'http://evil.test/'),
    refuse(403, 'Sec-Fetch-Site', 'cross-site'),
  ]
  const tokens = ['Bearer wrong', 'Basic TOKEN', 'TOKEN', 'Bearer TOKEN x', '', undefined].map((token) =>
    refuse(401, 'Authorization', token),
  )
  return fc.constantFrom(...hosts, ...pages, ...(path === '/v1/health' ? [] : tokens))
}

function dataMutations(document: ApiDocument, endpoint: Endpoint): fc.Arbitrary<Mutation> {
  const { operation, path, method } = endpoint
  const schema = operation.requestBody?.content['application/json']?.schema
  const inPath = path.includes('{')
  return fc.oneof(
    { weight: inPath ? 4 : 0, arbitrary: pathMutations(path) },
    { weight: 2, arbitrary: queryMutations(operation) },
    { weight: 2, arbitrary: headerMutations(operation) },
    { weight: schema === undefined ? 0 : 8, arbitrary: bodyMutations(document, schema ?? {}) },
    { weight: 2, arbitrary: contentMutations() },
    { weight: 1, arbitrary: methodMutations(method) },
  )
}

function pathMutations(path: string): fc.Arbitrary<Mutation> {
  return nastyTargets.map((text) => (request) => ({
    ...request,
    target: path.replaceAll(/\{\w+\}/g, () => text),
    parameters: undefined,
  }))
}

function queryMutations({ parameters = [] }: Operation): fc.Arbitrary<Mutation> {
  const names = parameters.filter((one) => one.in === 'query').map(({ name }) => name)
  const keys = fc.oneof(fc.constantFrom(...names, 'extra', '__proto__', 'a[b]', ''), nastyTargets)
  return fc.tuple(keys, fc.oneof(nastyTargets, fc.constant('mesh'))).map(([key, text]) => (request) => ({
    ...request,
    target: `${request.target}${request.target.includes('?') ? '&' : '?'}${key}=${text}`,
    parameters: undefined,
  }))
}

function headerMutations({ parameters = [] }: Operation): fc.Arbitrary<Mutation> {
  const names = parameters.filter((one) => one.in === 'header').map(({ name }) => name)
  const some = ['Accept', 'Accept-Encoding', 'Expect', 'If-None-Match', 'Range', 'X-HTTP-Method-Override']
  return fc
    .tuple(fc.constantFrom(...names, ...names, ...some, 'Upgrade', 'Cookie'), nastyHeaders, fc.boolean())
    .map(([name, value, isSecond]) => (request) => {
      const kept = isSecond ? request : withHeader(request, name, undefined)
      return { ...kept, headers: [...kept.headers, [name, value]], parameters: undefined }
    })
}

/** Media types that are not JSON, and some that are, in other words. */
const CONTENT_TYPES = [
  undefined,
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
  'application/problem+json',
  'json',
  '',
  '*/*',
  'APPLICATION/JSON',
  'application/json;',
  'application/json ; charset=utf-8',
  'application/json;;a',
  'application/json; charset=utf-16',
  'application/json; charset="',
  'application/json, text/plain',
]

function contentMutations(): fc.Arbitrary<Mutation> {
  const types = fc.constantFrom(...CONTENT_TYPES).map(
    (type): Mutation =>
      (request) =>
        withHeader(request, 'Content-Type', type),
  )
  const lengths = fc.constantFrom<Mutation>(
    (request) => ({
      ...withHeader(request, 'Content-Length', String(17 * 1024 * 1024)),
      body: Buffer.from('{}'),
    }),
    (request) => withHeader(request, 'Transfer-Encoding', 'chunked'),
    (request) => ({ ...request, body: undefined }),
    (request) => ({ ...request, body: Buffer.from('{}') }),
  )
  return fc.oneof({ weight: 2, arbitrary: types }, { weight: 1, arbitrary: lengths })
}

function methodMutations(method: string): fc.Arbitrary<Mutation> {
  const others = ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY']
  return fc
    .constantFrom(...(method === 'GET' ? ['HEAD', 'HEAD', 'HEAD'] : []), ...others)
    .map((other) => (request) => ({ ...request, method: other }))
}

function bodyMutations(document: ApiDocument, schema: Schema): fc.Arbitrary<Mutation> {
  const inParts = fc
    .tuple(validValues(document, schema), fc.array(partMutations(), { minLength: 1, maxLength: 2 }))
    .map(([value, changes]) => {
      const parts = Object.entries(value as object).map(([key, part]): Part => [key, JSON.stringify(part)])
      return Buffer.from(textOf(changes.reduce((changed, change) => change(changed), parts)))
    })
  const whole = fc.oneof({ weight: 3, arbitrary: inParts }, { weight: 1, arbitrary: nastyBodies })
  return fc.oneof(
    { weight: 4, arbitrary: whole.map((body): Mutation => (request) => ({ ...request, body })) },
    {
      weight: 3,
      arbitrary: nastyBytes.map((change): Mutation => (request) => ({
        ...request,
        body: change(request.body ?? Buffer.from('{}')),
      })),
    },
  )
}

const textOf = (parts: readonly Part[]): string =>
  `{${parts.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(',')}}`

/** Something missing, of a wrong type, twice, or too much. */
function partMutations(): fc.Arbitrary<(parts: readonly Part[]) => Part[]> {
  const index = fc.nat({ max: 15 })
  return fc.oneof(
    fc.tuple(index, nastyJson).map(
      ([at, json]) =>
        (parts: readonly Part[]) =>
          parts.map((part, n): Part => (n === at % parts.length ? [part[0], json] : part)),
    ),
    index.map((at) => (parts: readonly Part[]) => parts.filter((_, n) => n !== at % parts.length)),
    fc
      .tuple(nastyKeys, nastyJson)
      .map(([key, json]) => (parts: readonly Part[]): Part[] => [...parts, [key, json]]),
    fc.tuple(index, nastyJson).map(([at, json]) => (parts: readonly Part[]): Part[] => {
      const twice = parts[at % Math.max(1, parts.length)]
      return twice === undefined ? [] : [...parts, [twice[0], json]]
    }),
  )
}
