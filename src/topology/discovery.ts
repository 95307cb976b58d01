import { EasyNetError } from '../errors/error.ts'
import type { SignedAdvert } from '../model/advert.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { createRateLimit } from '../util/rate-limit.ts'
import { sleep } from '../util/signals.ts'
import { createWorkQueue } from '../util/work-queue.ts'
import * as limits from './limits.ts'
import { createLookup } from './lookup.ts'
import type { PeerTable } from './peer-table.ts'
import { createRedial, retryPauseMs } from './redial.ts'
import type { DiscoveryNetwork, Introductions, PeerAddresses, PullRequest } from './ports.ts'

export interface DiscoveryComponents {
  network: DiscoveryNetwork
  introductions: Introductions
  table: PeerTable
  /** Failures that are part of life in a mesh; for the log at debug level. */
  onFailure: (what: string, peer: string, error: unknown) => void
  /** A peer offers something new. */
  onAdvert: (signed: SignedAdvert) => void
  isBlocked: (peerId: string) => boolean
  /** Number of our own newest advert. */
  ownSeq: () => number
  /** A peer has an advert of ours with a higher number. */
  onOvertaken: (seq: number) => void
  clock?: Clock
  /** From 0 up to, not including, 1. */
  random?: () => number
}

export interface DiscoveryInit {
  /** Multiaddrs of well-known peers. */
  bootstrap: readonly string[]
  /** Peers of an earlier run that are dialled at the start. @default 32 */
  maxRemembered?: number
  /** @default 15_000 */
  pingIntervalMs?: number
  /** How often one random peer is asked what we may have missed. @default 30_000 */
  pullIntervalMs?: number
}

/** Finds peers, stays connected to them and learns what they offer. */
export interface Discovery extends AsyncDisposable {
  start(): void
  /** A peer was seen on the local network. */
  discovered(peer: PeerAddresses): void
  connected(peerId: string): void
  disconnected(peerId: string): void
  /** Tells all connected peers who we are, and what time we have. */
  introduceAgain(): void
  /** News of a newer advert, passed on to us by `from`. False when it was heard before. */
  announced(news: { peerId: string; seq: number }, from: string): boolean
  /** Looks for providers of a function that nobody has announced to us; see lookup.ts. */
  find(name: string, signal: AbortSignal): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000
const STOP_TIMEOUT_MS = 500
/** Gossip and pulls race: what a peer was told a moment ago it may not have fetched itself yet. */
const PULL_RETRIES_MS = [0, 100, 400, 1_500]
/** After connecting: what was registered while gossip had not formed yet. */
const CATCH_UP_MS = [0, 300, 1_500, 5_000]

export function createDiscovery(components: DiscoveryComponents, init: DiscoveryInit): Discovery {
  const { network, introductions, table, onFailure, clock = systemClock, random = Math.random } = components
  const stopping = new AbortController()
  const { signal } = stopping
  const tasks = new Set<Promise<void>>()
  const connecting = new Set<string>()
  /** Peers that are connected, and when they came; `-Infinity` for those that we dialled. */
  const connectedSince = new Map<string, number>()
  const announcedSeqs = new Map<string, number>()
  const pulls = createWorkQueue({
    maxRunning: limits.MAX_PULLS,
    maxRunningPerSource: limits.MAX_PULLS_PER_PEER,
    maxWaitingPerSource: limits.MAX_WAITING_PULLS_PER_PEER,
  })
  const toldDials = createWorkQueue({
    maxRunning: limits.MAX_TOLD_DIALS,
    maxRunningPerSource: limits.MAX_TOLD_DIALS,
    maxWaitingPerSource: limits.MAX_WAITING_TOLD_DIALS,
  })
  const toldDialRate = createRateLimit({
    perSecond: limits.TOLD_DIALS_PER_SECOND,
    burst: limits.TOLD_DIAL_BURST,
    clock,
  })
  const learned = createRateLimit({
    perSecond: limits.LEARNED_FUNCTIONS_PER_SECOND,
    burst: limits.LEARNED_FUNCTION_BURST,
    clock,
  })

  /** Runs something in the background; its failure is reported, its end awaited when we stop. */
  const spawn = async (what: string, peer: string, work: () => Promise<void>): Promise<void> => {
    if (signal.aborted) return
    const task = work()
      .catch((error: unknown) => {
        if (!signal.aborted) onFailure(what, peer, error)
      })
      .finally(() => tasks.delete(task))
    tasks.add(task)
    return task
  }
  const within = (timeoutMs: number): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])

  const connect = async ({ peerId, addresses }: PeerAddresses): Promise<void> => {
    if (peerId === network.peerId || connecting.has(peerId) || components.isBlocked(peerId)) return
    if (network.isConnected(peerId)) return
    connecting.add(peerId)
    try {
      const some = addresses.slice(0, limits.MAX_DIALLED_ADDRESSES)
      await network.connect(peerId, some, within(CONNECT_TIMEOUT_MS))
    } finally {
      connecting.delete(peerId)
    }
  }

  const pull = async (from: string, request: PullRequest = {}): Promise<void> => {
    const { peerIds, offering } = request
    // We ask about a function because nobody we know offers it: there is nothing to leave out.
    const known = offering === undefined ? table.knownSeqs(peerIds) : new Map<string, number>()
    if (offering === undefined && peerIds === undefined) known.set(network.peerId, components.ownSeq())
    const { host = from } = network.connectedPeers().find((peer) => peer.peerId === from) ?? {}
    for await (const signed of introductions.pull(from, known, request)) {
      const { peerId, functions } = signed.advert
      const isOffered = offering === undefined || functions.some((fn) => fn.name === offering)
      if (peerIds?.includes(peerId) === false || !isOffered) {
        throw new EasyNetError('protocol_violation', 'A peer told more than it was asked.')
      }
      if (peerId === network.peerId) components.onOvertaken(signed.advert.seq)
      if (peerId === network.peerId || components.isBlocked(peerId)) continue
      if (table.setAdvert(signed, from)) components.onAdvert(signed)
      // The rest waits for another question, and whoever calls meanwhile has the turn after each one.
      if (!learned.take(host, 1 + functions.length)) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  /** One pull that fails does not end the attempts. False when the peer lied: it would do so again. */
  const tryPull = async (from: string, request?: PullRequest): Promise<boolean> => {
    try {
      await pull(from, request)
      return true
    } catch (error) {
      if (!signal.aborted) onFailure('pull failed', from, error)
      return !(error instanceof EasyNetError && error.reason === 'protocol_violation')
    }
  }
  const catchUp = async (peerId: string): Promise<void> => {
    for (const delayMs of CATCH_UP_MS) {
      await sleep(delayMs, signal)
      if (!network.isConnected(peerId)) return
      if (!(await tryPull(peerId))) return
    }
  }
  const catchUpWithNews = async (news: { peerId: string; seq: number }, from: string): Promise<void> => {
    for (const delayMs of PULL_RETRIES_MS) {
      await sleep(delayMs, signal)
      if ((table.get(news.peerId)?.advert?.advert.seq ?? -1) >= news.seq) return
      const asked = network.isConnected(news.peerId) ? news.peerId : from
      if (!(await tryPull(asked, { peerIds: [news.peerId] }))) return
    }
  }
  const wasDialled = (peerId: string): boolean =>
    network.connectedPeers().some((peer) => peer.peerId === peerId && peer.direction === 'outbound')
  const sayHello = async (peerId: string): Promise<void> =>
    table.introduce(peerId, await introductions.hello(peerId))
  const introduce = async (peerId: string): Promise<void> => {
    if (wasDialled(peerId)) await sayHello(peerId)
    table.addRtt(peerId, await network.ping(peerId, within(CONNECT_TIMEOUT_MS)))
  }

  /** Stays connected to one bootstrap address, for as long as we run. */
  const keepBootstrap = async (address: string): Promise<void> => {
    let awaySince = clock.monotonic()
    let peerId = ''
    while (true) {
      if (peerId !== '' && network.isConnected(peerId)) {
        awaySince = clock.monotonic()
      } else {
        connecting.add(address)
        try {
          peerId = await network.connectTo(address, within(CONNECT_TIMEOUT_MS))
          network.protect(peerId)
        } catch (error) {
          if (signal.aborted) return
          onFailure('bootstrap unreachable', address, error)
        } finally {
          connecting.delete(address)
        }
      }
      await sleep(retryPauseMs(clock.monotonic() - awaySince), signal)
    }
  }
  /**
   * A peer whose connection broke is dialled again for an hour, then left to discovery. Whoever came and
   * went in a moment is not: it could name any addresses as its own and so make us dial them.
   */
  const mayReconnect = (peerId: string): boolean => {
    const since = connectedSince.get(peerId) ?? Infinity
    connectedSince.delete(peerId)
    return clock.monotonic() - since >= limits.STABLE_AFTER_MS
  }
  const redial = createRedial({
    clock,
    // Full: it was closed to make room, or would be.
    isWanted: (peerId) => !network.isConnected(peerId) && !network.isFull() && !components.isBlocked(peerId),
    async dial(peerId) {
      let isBack = false
      await spawn('reconnect failed', peerId, async () => {
        await connect({ peerId, addresses: table.get(peerId)?.advert?.advert.addresses ?? [] })
        isBack = true
      })
      return isBack
    },
  })
  const dialRemembered = async (): Promise<void> => {
    const peers = new Map<string, PeerAddresses>()
    for (const peer of await network.rememberedPeers()) peers.set(peer.peerId, peer)
    for (const { peerId, advert } of table.list()) {
      const known = peers.get(peerId)?.addresses ?? []
      peers.set(peerId, { peerId, addresses: [...new Set([...known, ...(advert?.advert.addresses ?? [])])] })
    }
    for (const peer of [...peers.values()].slice(0, init.maxRemembered ?? 32)) {
      void spawn('remembered peer unreachable', peer.peerId, async () => connect(peer))
    }
  }
  /** Remembers it. An announcement that is sent again with a new message id must not go round again. */
  const isNews = ({ peerId, seq }: { peerId: string; seq: number }): boolean => {
    if ((announcedSeqs.get(peerId) ?? -1) >= seq) return false
    announcedSeqs.delete(peerId)
    announcedSeqs.set(peerId, seq)
    if (announcedSeqs.size > limits.MAX_ANNOUNCED) deleteFirst(announcedSeqs)
    return true
  }
  const every = async (what: string, intervalMs: number, work: () => void): Promise<void> => {
    while (true) {
      await sleep(intervalMs, signal)
      try {
        work()
      } catch (error) {
        onFailure(what, '', error)
      }
    }
  }
  const pingAll = (): void => {
    table.prune()
    for (const { peerId } of network.connectedPeers()) {
      void spawn('ping failed', peerId, async () => {
        table.addRtt(peerId, await network.ping(peerId, within(CONNECT_TIMEOUT_MS)))
      })
    }
  }
  const askSomebody = (): void => {
    const peers = network.connectedPeers()
    const peer = peers[Math.floor(random() * peers.length)]
    if (peer !== undefined) void spawn('pull failed', peer.peerId, async () => pull(peer.peerId))
  }

  const lookUp = createLookup({
    network,
    table,
    connect,
    pull,
    onFailure,
    clock,
    isConnecting: () => connecting.size > 0,
  })

  return {
    start() {
      for (const address of init.bootstrap)
        void spawn('bootstrap failed', address, async () => keepBootstrap(address))
      void spawn('remembered peers failed', '', dialRemembered)
      void spawn('pings failed', '', async () =>
        every('pings failed', init.pingIntervalMs ?? 15_000, pingAll),
      )
      void spawn('pulls failed', '', async () =>
        every('pulls failed', init.pullIntervalMs ?? 30_000, askSomebody),
      )
    },
    discovered(peer) {
      if (network.isFull() || !toldDialRate.take('')) return
      toldDials.offer('', async () =>
        spawn('discovered peer unreachable', peer.peerId, async () => connect(peer)),
      )
    },
    connected(peerId) {
      table.setConnected(peerId, true)
      connectedSince.set(peerId, wasDialled(peerId) ? -Infinity : clock.monotonic())
      void spawn('introduction failed', peerId, async () => introduce(peerId))
      void spawn('pull failed', peerId, async () => catchUp(peerId))
    },
    disconnected(peerId) {
      table.setConnected(peerId, false)
      if (mayReconnect(peerId)) redial.lost(peerId)
    },
    introduceAgain() {
      for (const { peerId } of network.connectedPeers())
        void spawn('introduction failed', peerId, async () => sayHello(peerId))
    },
    announced(news, from) {
      if (!isNews(news)) return false
      if (news.peerId === network.peerId) return true
      pulls.offer(from, async () => spawn('pull failed', from, async () => catchUpWithNews(news, from)))
      return true
    },
    find: async (name, callerSignal) => lookUp(name, AbortSignal.any([signal, callerSignal])),
    async [Symbol.asyncDispose]() {
      stopping.abort(new EasyNetError('draining', 'The daemon stops.'))
      redial[Symbol.dispose]()
      // A pull under way ends with its connection, which is closed after us.
      await Promise.race([Promise.all(tasks), sleep(STOP_TIMEOUT_MS)])
    },
  }
}

function deleteFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) return void map.delete(key)
}
