import { networkInterfaces } from 'node:os'
import { EasyNetError } from '../../errors/error.ts'
import { type DoctorContext, fail, type Finding, pass, skip, warn } from './check.ts'
import { tcpAddress, tryConnect } from './tcp.ts'

const BOOTSTRAP_TIMEOUT_MS = 2_000
// Two ports: the daemon tries each address by itself, and `::` may take the one of IPv4 as well.
const LISTEN_ON_BOTH = 'easynet config set network.listen /ip4/0.0.0.0/tcp/4677,/ip6/::/tcp/4678'

/** Whether this device has an IPv6 address that others can use, and listens there. */
export function checkIpv6({ config, t }: DoctorContext): Finding {
  const addresses = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ family, internal }) => family === 'IPv6' && !internal)
    .map(({ address }) => address)
  const usable = addresses.find((address) => !/^fe[89ab]/i.test(address))
  if (usable === undefined) {
    return warn(t(addresses.length === 0 ? 'doctor.ipv6.none' : 'doctor.ipv6.local'), t('doctor.ipv6.fix'))
  }
  const listens = config instanceof EasyNetError ? [] : config.config.network.listen
  if (listens.some((address) => address.startsWith('/ip6/'))) {
    return pass(t('doctor.ipv6.good', { address: usable }))
  }
  return warn(t('doctor.ipv6.unused', { address: usable }), LISTEN_ON_BOTH)
}

/** Whether the devices that this one is told to start with can be reached. */
export async function checkBootstrap({ config, t }: DoctorContext): Promise<Finding> {
  if (config instanceof EasyNetError) return skip(t('doctor.needsConfig'))
  const { bootstrap, mdns } = config.config.network
  if (bootstrap.length === 0) {
    if (mdns) return pass(t('doctor.bootstrap.none'))
    return warn(t('doctor.bootstrap.alone'), 'easynet config set network.mdns true')
  }
  const failures = await Promise.all(bootstrap.map(tryBootstrap))
  const failed = failures.filter((failure) => failure !== undefined)
  const values = { count: bootstrap.length, failed: failed.length, list: failed.join(', ') }
  if (failed.length === 0) return pass(t('doctor.bootstrap.reached', values))
  const finding = failed.length === bootstrap.length ? fail : warn
  return finding(t('doctor.bootstrap.unreachable', values), t('doctor.bootstrap.fix'))
}

async function tryBootstrap(multiaddr: string): Promise<string | undefined> {
  const address = tcpAddress(multiaddr)
  if (address === undefined) return multiaddr
  const code = await tryConnect(address.host, address.port, BOOTSTRAP_TIMEOUT_MS)
  return code === undefined ? undefined : `${multiaddr} (${code})`
}
