import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiServer, type ApiServerInit, createApiServer } from '../../../../src/api/server.ts'
import { createStubNode, type StubNode } from './stub-node.ts'

export const TOKEN = 'secret-of-the-tests'

type TestRequestInit = Omit<RequestInit, 'headers'> & { headers?: Record<string, string> }

export interface TestServer extends AsyncDisposable {
  node: StubNode
  server: ApiServer
  url: string
  token: string
  /** `fetch` with the token. */
  request(path: string, init?: TestRequestInit): Promise<Response>
  post(path: string, body: unknown, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
}

/** A control API on a free port, around a stub node. @param prepare - before anybody can connect */
export async function serve(
  init: Partial<ApiServerInit> = {},
  prepare: (node: StubNode) => void = () => undefined,
): Promise<TestServer> {
  const node = createStubNode()
  prepare(node)
  const server = await createApiServer(
    { node, token: TOKEN },
    { listen: [{ host: '127.0.0.1', port: 0 }], ...init },
  )
  const url = server.urls[0] ?? ''
  const request: TestServer['request'] = (path, init = {}) =>
    fetch(url + path, { ...init, headers: withToken(init.headers) })
  return {
    node,
    server,
    url,
    token: TOKEN,
    request,
    post: (path, body, headers = {}, signal) =>
      request(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
        ...(signal === undefined ? {} : { signal }),
      }),
    [Symbol.asyncDispose]: () => server.close(),
  }
}

function withToken(headers: Record<string, string> = {}): Record<string, string> {
  return { authorization: `Bearer ${TOKEN}`, ...headers }
}

/** A folder that is removed at the end of the test. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'easynet-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
