import { createServer } from 'node:net'
import type { ApiListenAddress } from '../api/server.ts'
import { EasyNetError } from '../errors/error.ts'

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])$/

/**
 * The multiaddrs to listen on. A taken port that nobody asked for is replaced by a free one; one that
 * the user gave is an error.
 *
 * @throws {@link EasyNetError} `already_running`
 */
export async function choosePeerAddresses(listen: readonly string[], isDefault: boolean): Promise<string[]> {
  return Promise.all(
    listen.map(async (address) => {
      const [, , host = '', , portText] = address.split('/')
      const port = Number(portText)
      if (port === 0 || !(await isTaken(host, port))) return address
      if (isDefault) return address.replace(/\/tcp\/\d+/, '/tcp/0')
      throw new EasyNetError(
        'already_running',
        `Port ${port} of ${host} is in use, so no device could connect.`,
        {
          hint: `Give another one: --listen ${address.replace(/\/tcp\/\d+/, '/tcp/0')} takes a free port.`,
          details: { address },
        },
      )
    }),
  )
}

/** @param isDefault - nobody asked for this port: the next free one will do */
export function apiAddress(hostPort: string, isDefault: boolean): ApiListenAddress {
  const colon = hostPort.lastIndexOf(':')
  return { host: hostPort.slice(0, colon), port: Number(hostPort.slice(colon + 1)), orNextFree: isDefault }
}

/**
 * Where the gateway listens: nowhere, or in one place. Its clients send the token in clear, so it stays
 * on this machine.
 *
 * @throws {@link EasyNetError} `unsafe_bind` for an address that others could reach
 */
export function gatewayAddress(hostPort: string | undefined): ApiListenAddress[] {
  if (hostPort === undefined) return []
  const address = apiAddress(hostPort, false)
  if (LOOPBACK.test(address.host)) return [address]
  throw new EasyNetError(
    'unsafe_bind',
    `The gateway does not listen on ${address.host}: it has no TLS yet.`,
    {
      hint: `Use --gateway 127.0.0.1:${address.port}; other devices reach this one through the mesh.`,
    },
  )
}

/** Other failures than a taken port are left for the real attempt to report. */
function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'))
    probe.listen({ host, port }, () => probe.close(() => resolve(false)))
  })
}
