import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { EasyNetError } from '../../errors/error.ts'
import { onAbort, abortReason } from '../../util/signals.ts'
import { type DaemonEndpoint, unreachable } from '../find-daemon.ts'

const OPEN_TIMEOUT_MS = 10_000
const MAX_REFUSAL_BYTES = 64 * 1024

/** A socket that speaks the raw framing, and what came on it together with the upgrade. */
export interface OpenSocket {
  socket: Socket
  head: Uint8Array
}

/**
 * Opens the app connection: one HTTP/1.1 upgrade on the Unix socket, or on TCP.
 *
 * @throws {@link EasyNetError} `daemon_unreachable`, or the daemon's reason for refusing it
 */
export function openSocket(endpoint: DaemonEndpoint, signal?: AbortSignal): Promise<OpenSocket> {
  return new Promise((resolve, reject) => {
    const url = new URL(endpoint.url)
    const outgoing = request({
      ...(endpoint.socket === undefined
        ? { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port }
        : { socketPath: endpoint.socket }),
      path: '/v1/attach',
      agent: false,
      headers: {
        Host: url.host,
        Authorization: `Bearer ${endpoint.token}`,
        Connection: 'Upgrade',
        Upgrade: 'easynet',
      },
    })
    const unlink = onAbort(signal, () => outgoing.destroy(abortReason(signal)))
    outgoing.setTimeout(OPEN_TIMEOUT_MS, () =>
      outgoing.destroy(new Error(`no answer in ${OPEN_TIMEOUT_MS} ms`)),
    )
    outgoing.on('upgrade', (_response, socket: Socket, head) => {
      unlink()
      socket.setTimeout(0)
      socket.setNoDelay(true)
      resolve({ socket, head })
    })
    outgoing.on('response', (response) => {
      unlink()
      readRefusal(response).then(reject, reject)
    })
    outgoing.on('error', (error) => {
      unlink()
      reject(error instanceof EasyNetError ? error : unreachable(endpoint, error))
    })
    outgoing.end()
  })
}

async function readRefusal(response: IncomingMessage): Promise<EasyNetError> {
  let text = ''
  response.setEncoding('utf8')
  for await (const part of response) {
    text += String(part)
    if (text.length > MAX_REFUSAL_BYTES) break
  }
  return refusalError(response.statusCode ?? 0, text)
}

/** The error in an HTTP response that is not a success. */
export function refusalError(status: number, text: string): EasyNetError {
  try {
    const body = JSON.parse(text) as { error?: unknown }
    if (typeof body.error === 'object' && body.error !== null) return EasyNetError.fromData(body.error)
  } catch (cause) {
    return new EasyNetError('internal', `The daemon answered HTTP ${status} without JSON.`, { cause })
  }
  return new EasyNetError('internal', `The daemon answered HTTP ${status} without an error.`)
}
