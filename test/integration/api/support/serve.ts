import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiServer, type ApiServerInit, createApiServer } from '../../../../src/api/server.ts'
import { createStubNode, type StubNode } from './stub-node.ts'

export const TOKEN = 'secret-of-the-tests'

export interface TestServer extends AsyncDisposable {
  node: StubNode
  server: ApiServer
  url: string
  token: string
  /** `fetch` with the token. */
  request(path: string, init?: RequestInit): Promise<Response>
  post(path: string, body: unknown, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
}

/** A control API on a free port, around a stub node. */
export async function serve(init: Partial<ApiServerInit> = {}): Promise<TestServer> {
  const node = createStubNode()
  const server = await createApiServer(
    { node, token: TOKEN },
    { listen: [{ host: '127.0.0.1', port: 0 }], ...init },
  )
  const url = server.urls[0] ?? ''
  const request = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } })
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

/** A folder that is removed at the end of the test. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'easynet-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
