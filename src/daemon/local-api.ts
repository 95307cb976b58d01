import type { NodeApi } from '../api/node-api.ts'
import { EasyNetError } from '../errors/error.ts'
import type { FunctionRegistry } from '../functions/registry.ts'
import type { Memberships } from '../identity/memberships.ts'
import type { CallTimeline, PeerRef } from '../model/call.ts'
import type { Network } from '../network/network.ts'
import type { Caller } from '../scheduler/caller.ts'
import type { PeerStore } from '../storage/peer-store.ts'
import type { NodeEvents } from '../telemetry/events.ts'
import type { Clock } from '../util/clock.ts'
import type { Discovery } from '../topology/discovery.ts'
import type { KnownPeer, PeerTable } from '../topology/peer-table.ts'
import type { CallHistory } from './call-history.ts'
import { functionViews, matches, meshView, peerView, reachabilityOf } from './views.ts'
import { resolvePeer } from './wiring.ts'

export interface LocalApiParts {
  self: PeerRef
  version: string
  memberships: Memberships
  network: Network
  registry: FunctionRegistry
  table: PeerTable
  discovery: Discovery
  caller: Caller
  history: CallHistory
  timeline: (id: string, signal: AbortSignal) => Promise<CallTimeline | undefined>
  peerStore: PeerStore
  blocked: Set<string>
  events: NodeEvents
  /** Calls that ended since the start. */
  counts: { done: number; failed: number }
  running: () => number
  disk: { readonly isFull: boolean }
  requestShutdown: () => void
  clock: Clock
}

/** The node as the control API sees it. */
export function createLocalApi(parts: LocalApiParts): NodeApi {
  const { self, network, registry, table, caller, clock } = parts
  const startedAt = clock.monotonic()

  const viewOf = (peer: KnownPeer) => {
    const connection = network.connections().find((candidate) => candidate.peerId === peer.peerId)
    return peerView(peer, connection, parts.blocked.has(peer.peerId))
  }
  const knownPeer = (peerId: string): KnownPeer => {
    const peer = table.get(peerId)
    if (peer !== undefined) return peer
    return { peerId, name: peerId.slice(-8), connected: false, rttMs: null, lastSeenAt: null }
  }

  const api: NodeApi = {
    status: () => ({
      schema: 'status/1',
      peerId: self.peerId,
      name: self.name,
      owner: Buffer.from(parts.memberships.owner).toString('hex'),
      meshes: parts.memberships.list().map((mesh) => meshView(mesh, parts.memberships.own(mesh))),
      version: parts.version,
      uptimeMs: Math.round(clock.monotonic() - startedAt),
      addresses: network.addresses(),
      reachability: reachabilityOf(network.connections()),
      peers: network.connections().length,
      functions: registry.list().length,
      calls: { running: parts.running(), ...parts.counts },
      storage: parts.disk.isFull ? 'full' : 'ok',
    }),
    peers: () => table.list().map(viewOf),
    async blockPeer(idOrName, blocked) {
      const peerId = resolvePeer(idOrName, self, table)
      if (peerId === self.peerId) throw itself('A device cannot block itself.')
      parts.peerStore.setBlocked(peerId, blocked)
      if (blocked) parts.blocked.add(peerId)
      else parts.blocked.delete(peerId)
      await network.setBlocked(parts.blocked)
      return viewOf(knownPeer(peerId))
    },
    async ping(idOrName, signal) {
      const peerId = resolvePeer(idOrName, self, table)
      if (peerId === self.peerId) throw itself('That is this device itself.')
      if (!network.isConnected(peerId)) {
        await network.connect(peerId, table.get(peerId)?.advert?.advert.addresses ?? [], signal)
      }
      const rttMs = await network.ping(peerId, signal)
      table.addRtt(peerId, rttMs)
      const connection = network.connections().find((candidate) => candidate.peerId === peerId)
      return {
        ...table.refOf(peerId),
        rttMs,
        path: connection?.path ?? 'direct',
        address: connection?.address ?? '',
      }
    },
    functions({ scope, q }) {
      const peers = scope === 'local' ? [] : table.list().filter((peer) => !parts.blocked.has(peer.peerId))
      const views = functionViews({ self, functions: registry.list() }, peers)
      return q === undefined ? views : views.filter((view) => matches(view, q))
    },
    async findFunction(name, signal) {
      const find = () => api.functions({ scope: 'mesh' }).find((view) => view.name === name)
      const known = find()
      if (known !== undefined) return known
      await parts.discovery.find(name, signal)
      return find()
    },
    call: caller.call,
    calls: () => parts.history.list(),
    callRecord: async (id, signal) => parts.history.find(id, signal),
    callTimeline: async (id, signal) => parts.timeline(id, signal),
    cancelCall(id) {
      if (caller.cancel(id)) return
      throw new EasyNetError('unknown_call', `No call with the id ${id.slice(0, 64)} is running.`, {
        hint: 'See what is running: easynet ps',
      })
    },
    register: (functions, runner) => registry.register(functions, runner),
    events: { follow: (lastId, signal) => parts.events.follow(lastId, signal) },
    shutdown: parts.requestShutdown,
  }
  return api
}

function itself(message: string): EasyNetError {
  return new EasyNetError('invalid_request', message, { hint: 'See the other devices: easynet peer ls' })
}
