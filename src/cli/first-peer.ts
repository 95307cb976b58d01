import { loadConfig } from '../config/load.ts'
import type { StatusView } from '../model/views.ts'
import { HttpClient } from '../sdk/http-client.ts'
import { sleep } from '../util/signals.ts'
import type { Cli } from './cli.ts'

const WAIT_MS = 2_000
const POLL_MS = 100

/** How a daemon that has just started looks for others. */
export interface Search {
  bootstrap: readonly string[]
  mdns: boolean
}

/** What the flags of `up` say, else the settings. */
export function searchOf(cli: Cli, flags: { bootstrap?: string[]; mdns: boolean }): Search {
  const { network } = loadConfig({ userFile: cli.home.configFile, env: cli.env }).config
  return { bootstrap: flags.bootstrap ?? network.bootstrap, mdns: flags.mdns && network.mdns }
}

/** The status once a first device is connected, every known address has answered, or 2 s have passed. */
export async function waitForPeer(
  cli: Cli,
  search: Search,
  started: StatusView,
): Promise<{ status: StatusView; unanswered: string[] }> {
  using api = await HttpClient.open(cli.target)
  let status = started
  let unanswered = [...search.bootstrap]
  if (unanswered.length === 0 && !search.mdns) return { status, unanswered }
  for (const until = performance.now() + WAIT_MS; ; await sleep(POLL_MS, cli.signal)) {
    const peers = await api.peers({ signal: cli.signal })
    const connected = peers.filter((peer) => peer.connected).map(({ peerId }) => peerId)
    unanswered = search.bootstrap.filter((address) => {
      const peerId = /\/p2p\/([^/]+)$/.exec(address)?.[1]
      return peerId === undefined ? connected.length === 0 : !connected.includes(peerId)
    })
    const done = connected.length > 0 && unanswered.length === 0
    if (!done && performance.now() < until) continue
    status = await api.status({ signal: cli.signal })
    return { status, unanswered }
  }
}

/** Whether others reach this device; for one without any, what is done about it. */
export function reachabilityText({ t }: Cli, status: StatusView, search: Search): string {
  if (status.peers > 0) return `${status.reachability}: ${t(`reachability.${status.reachability}`)}`
  const [address] = search.bootstrap
  if (address !== undefined) return t('up.connecting', { address: search.bootstrap.join(', ') })
  return t(search.mdns ? 'up.looking' : 'up.alone')
}
