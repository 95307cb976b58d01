import { BlockList, isIP } from 'node:net'
import type { Member } from '../identity/chain.ts'
import type { Membership } from '../identity/memberships.ts'
import type { Checked } from '../identity/refusals.ts'
import type { PeerRef } from '../model/call.ts'
import type { AdvertisedFunction, FunctionDescriptor } from '../model/function.ts'
import type { FunctionView, MeshView, PeerView, ProviderView, Reachability } from '../model/views.ts'
import type { ConnectionInfo } from '../network/network.ts'
import type { KnownPeer } from '../topology/peer-table.ts'

/** @param own - what we may do in it */
export function meshView({ meshId, name }: Membership, own: Checked<Member>): MeshView {
  const id = Buffer.from(meshId).toString('hex')
  if (!own.ok) return { id, name, role: 'none', expiresAt: null }
  const { role, expiresAt } = own.value
  return { id, name, role, expiresAt: Number.isFinite(expiresAt) ? expiresAt : null }
}

export function peerView(
  peer: KnownPeer,
  connection: ConnectionInfo | undefined,
  blocked: boolean,
): PeerView {
  const advertised = peer.advert?.advert
  return {
    peerId: peer.peerId,
    name: peer.name,
    addresses: connection === undefined ? (advertised?.addresses ?? []) : [connection.address],
    connected: connection !== undefined,
    path: connection?.path ?? 'direct',
    rttMs: peer.rttMs === null ? null : round(peer.rttMs),
    functions: advertised?.functions.map((fn) => fn.name) ?? [],
    version: peer.software?.split('/')[1] ?? null,
    lastSeenAt: peer.lastSeenAt,
    clockAheadMs: peer.clockAheadMs === undefined ? null : Math.round(peer.clockAheadMs),
    blocked,
  }
}

/** Functions by name and version, with everybody who offers them. */
export function functionViews(
  own: { self: PeerRef; functions: readonly FunctionDescriptor[] },
  peers: readonly KnownPeer[],
): FunctionView[] {
  const views = new Map<string, FunctionView>()
  const add = (fn: AdvertisedFunction | FunctionDescriptor, provider: ProviderView): void => {
    const key = `${fn.name}@${fn.version}`
    const known = views.get(key)
    if (known === undefined) views.set(key, functionView(fn, provider))
    else known.providers.push(provider)
  }
  for (const fn of own.functions) add(fn, { ...own.self, rttMs: 0, local: true })
  for (const peer of peers) {
    const provider = {
      peerId: peer.peerId,
      name: peer.name,
      rttMs: peer.rttMs === null ? null : round(peer.rttMs),
    }
    for (const fn of peer.advert?.advert.functions ?? []) add(fn, { ...provider, local: false })
  }
  return [...views.values()].sort((a, b) => a.name.localeCompare(b.name))
}

function functionView(fn: AdvertisedFunction | FunctionDescriptor, provider: ProviderView): FunctionView {
  const { name, version, description, stream, clientStream, idempotent, price, tags } = fn
  const schemas = { input: fn.input ?? null, output: fn.output ?? null }
  return {
    name,
    version,
    description,
    stream,
    clientStream,
    idempotent,
    price,
    tags,
    ...schemas,
    providers: [provider],
  }
}

/** True when a name, description or tag contains the words of `q`. */
export function matches(view: FunctionView, q: string): boolean {
  const text = [view.name, view.description, ...view.tags].join(' ').toLowerCase()
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

/** `public`: somebody outside the local networks has connected to us. */
export function reachabilityOf(connections: readonly ConnectionInfo[]): Reachability {
  if (connections.length === 0) return 'offline'
  const local = localNetworks()
  const fromOutside = connections.some((connection) => {
    const host = connection.address.split('/')[2] ?? ''
    const family = isIP(host)
    return (
      connection.direction === 'inbound' && family !== 0 && !local.check(host, family === 6 ? 'ipv6' : 'ipv4')
    )
  })
  return fromOutside ? 'public' : 'private'
}

function localNetworks(): BlockList {
  const list = new BlockList()
  list.addSubnet('10.0.0.0', 8)
  list.addSubnet('100.64.0.0', 10)
  list.addSubnet('127.0.0.0', 8)
  list.addSubnet('169.254.0.0', 16)
  list.addSubnet('172.16.0.0', 12)
  list.addSubnet('192.168.0.0', 16)
  list.addAddress('::1', 'ipv6')
  list.addSubnet('fc00::', 7, 'ipv6')
  list.addSubnet('fe80::', 10, 'ipv6')
  return list
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100
}
