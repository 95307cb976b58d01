import { Agent, type IncomingMessage, request } from 'node:http'
import { EasyNetError } from '../errors/error.ts'
import { abortReason, createDeadline, onAbort } from '../util/signals.ts'
import { refusalError } from './attach/open-socket.ts'
import { type DaemonEndpoint, unreachable } from './find-daemon.ts'

const MAX_ANSWER_BYTES = 256 * 1024 * 1024

interface SendOptions {
  signal?: AbortSignal
  headers?: Record<string, string>
  /** Sent as JSON. */
  body?: object
}

/** Requests to one daemon over kept connections. */
export interface Requester {
  /** The JSON of a successful answer; undefined when it has none. @throws the daemon's error */
  json(method: string, path: string, options: SendOptions & { timeoutMs: number }): Promise<unknown>
  /** The body of a successful, endless answer. Destroy it. */
  stream(path: string, options: SendOptions): Promise<IncomingMessage>
  close(): void
}

export function createRequester(endpoint: DaemonEndpoint): Requester {
  const url = new URL(endpoint.url)
  const agent = new Agent({ keepAlive: true })

  const send = (method: string, path: string, options: SendOptions): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const body = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body))
      const outgoing = request({
        ...(endpoint.socket === undefined
          ? { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port }
          : { socketPath: endpoint.socket }),
        method,
        path,
        agent,
        headers: {
          Host: url.host,
          Authorization: `Bearer ${endpoint.token}`,
          ...(body === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': body.length }),
          ...options.headers,
        },
      })
      const unlink = onAbort(options.signal, () => outgoing.destroy(abortReason(options.signal)))
      outgoing.on('response', resolve)
      outgoing.on('close', unlink)
      outgoing.on('error', (error) => {
        reject(error instanceof EasyNetError ? error : unreachable(endpoint, error))
      })
      outgoing.end(body)
    })

  const open = async (method: string, path: string, options: SendOptions): Promise<IncomingMessage> => {
    const response = await send(method, path, options)
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    throw refusalError(status, await readText(response))
  }

  return {
    async json(method, path, options) {
      using deadline = createDeadline(options.timeoutMs, options.signal)
      try {
        const text = await readText(await open(method, path, { ...options, signal: deadline.signal }))
        return text === '' ? undefined : (JSON.parse(text) as unknown)
      } catch (error) {
        if (deadline.signal.aborted) throw abortReason(deadline.signal)
        throw EasyNetError.from(error)
      }
    },
    stream: (path, options) => open('GET', path, options),
    close: () => agent.destroy(),
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MAX_ANSWER_BYTES)
      throw new EasyNetError('too_large', `The answer exceeds ${MAX_ANSWER_BYTES} bytes.`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
