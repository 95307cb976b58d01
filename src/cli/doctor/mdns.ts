import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { EasyNetError } from '../../errors/error.ts'
import { abortReason, sleep } from '../../util/signals.ts'
import { type DoctorContext, fail, type Finding, pass, skip, warn } from './check.ts'
import { encodeQuery, isAnswer } from './mdns-packet.ts'

const GROUP = '224.0.0.251'
const PORT = 5353
/** What EasyNet devices answer to. */
const SERVICE = '_easynet._udp.local'
const LISTEN_MS = 1_000

interface Heard {
  /** Our own query came back: this machine can send to the group and hear it. */
  own: boolean
  /** Addresses that answered for the service. */
  devices: Set<string>
}

/**
 * Asks the local network for EasyNet devices and listens for its own question. A question that comes
 * back shows that this machine lets multicast pass both ways; only an answer shows that the network does.
 */
export async function checkMdns({ config, signal, t }: DoctorContext): Promise<Finding> {
  if (config instanceof EasyNetError) return skip(t('doctor.needsConfig'))
  const { mdns, bootstrap } = config.config.network
  if (!mdns) return skip(t('doctor.mdns.off'))
  const own = ownAddresses()
  // Without this way of finding others it depends on whether there is another.
  const problem = bootstrap.length === 0 ? fail : warn
  if (own.length === 0) return problem(t('doctor.mdns.noInterface'), t('doctor.mdns.fix'))
  try {
    const heard = await askNetwork(own, signal)
    if (!heard.own) return problem(t('doctor.mdns.deaf'), t('doctor.mdns.fix'))
    return pass(t('doctor.mdns.good', { count: heard.devices.size }))
  } catch (error) {
    if (signal.aborted) throw abortReason(signal)
    const message = t('doctor.mdns.failed', { why: EasyNetError.from(error).message })
    const hasRoute = (error as NodeJS.ErrnoException).code !== 'ENETUNREACH'
    return problem(message, t(hasRoute ? 'doctor.mdns.fix' : 'doctor.mdns.routeFix'))
  }
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
}

async function askNetwork(own: readonly string[], signal: AbortSignal): Promise<Heard> {
  const mark = `_easynet-doctor-${randomBytes(6).toString('hex')}`
  const heard: Heard = { own: false, devices: new Set() }
  await using socket = createSocket({ type: 'udp4', reuseAddr: true })
  let failure: Error | undefined
  socket.on('error', (error) => (failure = error))
  socket.on('message', (packet, { address }) => {
    if (packet.includes(mark)) heard.own = true
    else if (isAnswer(packet) && packet.includes('_easynet') && !own.includes(address))
      heard.devices.add(address)
  })
  socket.bind(PORT)
  await once(socket, 'listening', { signal })
  for (const address of own) socket.addMembership(GROUP, address)
  const unsent = await sendQuery(socket, encodeQuery(questions(mark)))
  await sleep(LISTEN_MS, signal)
  const error = failure ?? unsent
  if (!heard.own && error !== undefined) throw error
  return heard
}

/** Devices answer to the first question only; the other one makes this query known to us when it comes back. */
export function questions(mark: string): string[] {
  return [SERVICE, `${mark}._udp.local`]
}

/** By the route that the system chooses, as the daemon's go. Resolves with what went wrong, or undefined. */
function sendQuery(socket: Socket, query: Buffer): Promise<Error | undefined> {
  return new Promise((resolve) => {
    socket.send(query, PORT, GROUP, (error) => resolve(error ?? undefined))
  })
}
