import { readFile } from 'node:fs/promises'
import { EasyNetError } from '../errors/error.ts'
import { type Home, locateHome } from '../util/home.ts'

/** Which daemon to talk to. Without any of these: the one of this user, or of `EASYNET_HOME`. */
export interface DaemonTarget {
  /** The folder that was given to the daemon as `--home`. */
  home?: string
  /** Address of a control API, such as `http://127.0.0.1:7677`; needs `token`. */
  url?: string
  /** @default with a `url`: `EASYNET_TOKEN`, or this device's token when `url` is its daemon; else the token file */
  token?: string
}

/** Where a daemon listens, and the token that it wants. */
export interface DaemonEndpoint {
  url: string
  /** Unix socket, which is faster than `url` and used when it is there. */
  socket?: string
  token: string
  pid?: number
  /** The file that told us, for error messages. */
  source?: string
}

/** The fields of `daemon.json` that a client needs. */
interface DaemonFile {
  url: string
  socket?: string
  /** `HOST:PORT` of the gateway, a second address of the same API. */
  gateway?: string
  pid: number
}

/**
 * Finds the running daemon by the files that it wrote. It may have died since: only a request tells.
 *
 * @throws {@link EasyNetError} `daemon_unreachable` when no daemon has written them
 */
export async function findDaemon(
  target: DaemonTarget = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<DaemonEndpoint> {
  const home = locateHome(target.home, env)
  if (target.url !== undefined) {
    return { url: target.url, token: target.token ?? (await tokenFor(target.url, home, env)) }
  }
  const file = await readDaemonFile(home)
  const token = target.token ?? (await readOrFail(home.tokenFile, home)).trim()
  const socket = process.platform === 'win32' ? undefined : file.socket
  return {
    url: file.url,
    token,
    pid: file.pid,
    source: home.daemonFile,
    ...(socket === undefined ? {} : { socket }),
  }
}

async function readDaemonFile(home: Home): Promise<DaemonFile> {
  const text = await readOrFail(home.daemonFile, home)
  try {
    const { url, socket, gateway, pid } = JSON.parse(text) as Partial<DaemonFile>
    if (typeof url === 'string' && typeof pid === 'number') {
      const optional = {
        ...(typeof socket === 'string' && { socket }),
        ...(typeof gateway === 'string' && { gateway }),
      }
      return { url, pid, ...optional }
    }
  } catch (error) {
    throw notFound(home.daemonFile, home, 'is not readable as JSON', error)
  }
  throw notFound(home.daemonFile, home, 'has no url and pid')
}

async function readOrFail(file: string, home: Home): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : 'cannot be read'
    throw notFound(file, home, why, error)
  }
}

/** `EASYNET_TOKEN`, or the token of this device's daemon when the address is one of its own. */
async function tokenFor(url: string, home: Home, env: NodeJS.ProcessEnv): Promise<string> {
  const token = env['EASYNET_TOKEN']
  if (token !== undefined && token !== '') return token
  const { hostname, port } = new URL(url)
  if (['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
    const file = await readDaemonFile(home)
    const ports = [new URL(file.url).port, file.gateway?.slice(file.gateway.lastIndexOf(':') + 1)]
    if (ports.includes(port)) return (await readOrFail(home.tokenFile, home)).trim()
  }
  throw new EasyNetError('unauthenticated', 'A url was given without a token.', {
    hint: 'Pass { url, token } or set EASYNET_TOKEN to the content of run/token of that daemon.',
  })
}

function notFound(file: string, home: Home, why: string, cause?: unknown): EasyNetError {
  return new EasyNetError('daemon_unreachable', `No daemon was found: ${file} ${why}.`, {
    hint: startHint(home.root),
    details: { lookedFor: file },
    cause,
  })
}

/** The failure to reach a daemon that once wrote its files, or that was named by its address. */
export function unreachable(endpoint: DaemonEndpoint, cause: unknown): EasyNetError {
  const code =
    (cause as NodeJS.ErrnoException).code ?? (cause instanceof Error ? cause.message : String(cause))
  const who = endpoint.pid === undefined ? '' : ` (pid ${endpoint.pid})`
  const at = endpoint.socket ?? endpoint.url
  return new EasyNetError('daemon_unreachable', `The daemon${who} does not answer at ${at}: ${code}.`, {
    hint: 'easynet up',
    details: { at, ...(endpoint.source === undefined ? {} : { lookedFor: endpoint.source }) },
    cause,
  })
}

function startHint(root: string | undefined): string {
  return root === undefined ? 'easynet up' : `easynet up --home ${root}`
}
