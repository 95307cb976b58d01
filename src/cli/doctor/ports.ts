import type { Setting } from '../../config/load.ts'
import { EasyNetError } from '../../errors/error.ts'
import { type DoctorContext, fail, type Finding, pass, skip, warn } from './check.ts'
import { tcpAddress, tryConnect, tryListen } from './tcp.ts'

const CONNECT_TIMEOUT_MS = 2_000

/** The port of the control API: answered by the daemon, or free for one. */
export async function checkApiPort(context: DoctorContext): Promise<Finding> {
  const { daemon, config, t } = context
  if (daemon.status !== undefined) return pass(t('doctor.api.answers', { url: daemon.file?.url ?? '' }))
  if (config instanceof EasyNetError) return skip(t('doctor.needsConfig'))
  const { listen } = config.config.api
  const colon = listen.lastIndexOf(':')
  const host = listen.slice(0, colon).replace(/^\[|\]$/g, '')
  const found = [{ host, port: Number(listen.slice(colon + 1)) }]
  return checkFree(context, found, config.settings['api.listen'], 'api.listen 127.0.0.1:0')
}

/** The ports where other devices connect: open on this machine, or free. */
export async function checkPeerPorts(context: DoctorContext): Promise<Finding> {
  const { daemon, config, t } = context
  if (daemon.status === undefined) {
    if (config instanceof EasyNetError) return skip(t('doctor.needsConfig'))
    const wanted = config.config.network.listen.map(tcpAddress).filter((address) => address !== undefined)
    const setting = config.settings['network.listen']
    return checkFree(context, wanted, setting, 'network.listen /ip4/0.0.0.0/tcp/0')
  }
  const { addresses } = daemon.status
  const reached = await Promise.all(
    addresses.map(async (text) => {
      const address = tcpAddress(text)
      return (
        address !== undefined &&
        (await tryConnect(address.host, address.port, CONNECT_TIMEOUT_MS)) === undefined
      )
    }),
  )
  const open = addresses.filter((_, index) => reached[index])
  if (open.length > 0) return pass(t('doctor.peers.open', { list: open.join(', ') }))
  const list = addresses.join(', ') || '-'
  return fail(t('doctor.peers.closed', { list }), t('doctor.peers.closedFix'))
}

/** @param free - the setting that always works, for the fix */
async function checkFree(
  { t }: DoctorContext,
  wanted: readonly { host: string; port: number }[],
  setting: Setting,
  free: string,
): Promise<Finding> {
  for (const { host, port } of wanted) {
    const code = port === 0 ? undefined : await tryListen(host, port)
    if (code === undefined) continue
    const values = { at: `${host}:${port}`, code }
    const fix = `easynet config set ${free}`
    // A port that nobody asked for is replaced by a free one.
    if (code === 'EADDRINUSE' && setting.origin === 'default')
      return warn(t('doctor.port.other', values), fix)
    return fail(t('doctor.port.unusable', { ...values, origin: setting.origin }), fix)
  }
  return pass(t('doctor.port.free', { list: wanted.map(({ host, port }) => `${host}:${port}`).join(', ') }))
}
