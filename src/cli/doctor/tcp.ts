import { connect, createServer } from 'node:net'

/** Host and port of a TCP multiaddr, such as `/dns4/example.org/tcp/4677`. */
export function tcpAddress(multiaddr: string): { host: string; port: number } | undefined {
  const [, host, port] = /^\/(?:ip[46]|dns[46]?)\/([^/]+)\/tcp\/(\d+)/.exec(multiaddr) ?? []
  return host === undefined ? undefined : { host, port: Number(port) }
}

/** Connects and closes at once. Resolves with undefined, or with the code of what went wrong. */
export function tryConnect(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const end = (code: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(code)
    }
    const timer = setTimeout(() => end('ETIMEDOUT'), timeoutMs)
    socket.once('connect', () => end(undefined))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}

/** Listens and closes at once. Resolves with undefined, or with the code of what went wrong. */
export function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port }, () => server.close(() => resolve(undefined)))
  })
}
