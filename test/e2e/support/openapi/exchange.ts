import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Daemon } from '../daemon.ts'
import type { GeneratedRequest } from './generated-request.ts'

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
  /** False when the answer was still going on and we had enough. */
  ended: boolean
}

/** Longest time for any answer. */
const DEADLINE_MS = 10_000
/** An answer without end is read until it has said nothing for this long. */
const QUIET_MS = 15

export interface Client extends Disposable {
  /** Sends a request and returns its answer. @throws when none comes, or not in time */
  send(request: GeneratedRequest, isEndless: boolean): Promise<Answer>
}

/** Sends what `fetch` would correct or refuse. */
export function createClient(daemon: Daemon): Client {
  const { hostname, port } = new URL(daemon.url)
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const filled = (text: string): string => text.replaceAll('TOKEN', daemon.token).replaceAll('PORT', port)

  const send: Client['send'] = (given, isEndless) =>
    new Promise((resolve, reject) => {
      const { method, target, body } = given
      const signal = AbortSignal.timeout(DEADLINE_MS)
      const outgoing = httpRequest({
        host: hostname,
        port,
        agent,
        method,
        path: target,
        signal,
        setHost: false,
        // As a list, a name can be there twice.
        headers: framed(given).flatMap(([name, value]) => [name, filled(value)]),
      })
      let seen: IncomingMessage | undefined
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // What the server cannot parse has no method for it, so that its refusal of a HEAD has a body too.
        const isUnparsed = [400, 431].includes(seen?.statusCode ?? 0)
        if (method === 'HEAD' && isUnparsed && error.code === 'HPE_CLOSED_CONNECTION') {
          const { statusCode: status = 0, headers = {} } = seen ?? {}
          return resolve({ status, headers, body: Buffer.of(), ended: true })
        }
        reject(signal.aborted ? new Error(`no answer within ${DEADLINE_MS} ms`) : error)
      })
      outgoing.on('response', (response) => {
        seen = response
        const { statusCode: status = 0, headers } = response
        const parts: Buffer[] = []
        const finish = (ended: boolean): void =>
          resolve({ status, headers, body: Buffer.concat(parts), ended })
        let quiet: NodeJS.Timeout | undefined
        response.on('error', reject)
        response.on('data', (part: Buffer) => {
          parts.push(part)
          if (!isEndless || status >= 300) return
          clearTimeout(quiet)
          quiet = setTimeout(() => {
            finish(false)
            response.destroy()
          }, QUIET_MS)
        })
        response.on('end', () => finish(true))
      })
      outgoing.on('upgrade', (response, socket) => {
        socket.destroy()
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.of(),
          ended: false,
        })
      })
      outgoing.end(body)
    })

  return { send, [Symbol.dispose]: () => agent.destroy() }
}

/** The headers with the length of the body, unless the request says how it is framed. */
function framed({ method, headers, body }: GeneratedRequest): [string, string][] {
  const isFramed = headers.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name))
  // Without a length Node would announce chunks for these.
  const mayHaveBody = !['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'].includes(method)
  const length = body?.length ?? (mayHaveBody ? 0 : undefined)
  return isFramed || length === undefined ? headers : [...headers, ['Content-Length', String(length)]]
}

/** A request as people can read and repeat it. */
export function describeRequest({ method, target, headers, body }: GeneratedRequest): string {
  const lines = headers.map(([name, value]) => `${name}: ${value.slice(0, 200)}`)
  const text = body === undefined ? '' : `\n\n${body.toString('latin1').slice(0, 2_000)}`
  return `${method} ${target.slice(0, 500)}\n${lines.join('\n')}${text}`
}
