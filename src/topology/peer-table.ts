import { CLOCK_TOLERANCE_MS, MAX_ADVERT_VALIDITY_MS, type SignedAdvert } from '../model/advert.ts'
import type { PeerRef } from '../model/call.ts'
import type { AdvertisedFunction } from '../model/function.ts'
import type { Clock } from '../util/clock.ts'
import { chooseEvicted } from './eviction.ts'
import { createFunctionIndex } from './function-index.ts'
import { FUNCTION_BYTES, MAX_ADVERTS_BYTES, MAX_PEERS } from './limits.ts'

const RTT_SMOOTHING = 0.3
/** How long a device without an advert is listed after it was last seen. */
const LISTED_MS = 24 * 3_600_000

/** A device that we know of. */
export interface KnownPeer {
  peerId: string
  /** Its name, or the end of its peer id until it has told us. */
  name: string
  software?: string
  advert?: SignedAdvert
  connected: boolean
  rttMs: number | null
  /** Epoch ms. */
  lastSeenAt: number | null
  /** How far its wall clock was ahead of ours when it introduced itself; undefined until it has. */
  clockAheadMs?: number
}

export interface Introduction {
  name: string
  software: string
  clockAheadMs?: number
}

/** Where adverts outlive the process. */
export interface AdvertStore {
  load(): { peerId: string; bytes: Uint8Array }[]
  save(peerId: string, advert: SignedAdvert): void
  remove(peerId: string): void
}

/** All devices we know of, with what they offer and how far away they are. */
export interface PeerTable {
  get(peerId: string): KnownPeer | undefined
  list(): KnownPeer[]
  refOf(peerId: string): PeerRef
  /** True when it is newer than what we had. @param from - the peer that passed it on, if another */
  setAdvert(signed: SignedAdvert, from?: string): boolean
  introduce(peerId: string, hello: Introduction): void
  setConnected(peerId: string, connected: boolean): void
  addRtt(peerId: string, rttMs: number): void
  /** Valid adverts that offer `name`. */
  providersOf(name: string): { peer: KnownPeer; fn: AdvertisedFunction }[]
  /** Peer id → seq of everything valid that we have, or of these peers alone. */
  knownSeqs(peerIds?: readonly string[]): Map<string, number>
  /** Drops adverts that have expired, and who has been away for so long that nobody asks for it. */
  prune(): void
  /** Our wall clock was set: what was noted by it is corrected. */
  clockSet(byMs: number): void
}

export interface PeerTableComponents {
  clock: Clock
  store: AdvertStore
  /** Checks what was stored. Throws for what is forged or expired. */
  verify: (bytes: Uint8Array) => SignedAdvert
}

export function createPeerTable({ clock, store, verify }: PeerTableComponents): PeerTable {
  const peers = new Map<string, KnownPeer>()
  /** Who told us of a peer that was never connected. */
  const sources = new Map<string, string>()
  const index = createFunctionIndex<KnownPeer>()
  /**
   * Until when an advert may be used, on our monotonic clock: for as long after it came as its author says,
   * whatever the clocks of the two say.
   */
  const usableUntil = new WeakMap<SignedAdvert, number>()
  let advertBytes = 0

  const entry = (peerId: string): KnownPeer => {
    let peer = peers.get(peerId)
    if (peer === undefined) {
      peer = { peerId, name: peerId.slice(-8), connected: false, rttMs: null, lastSeenAt: null }
      evict()
      peers.set(peerId, peer)
    }
    return peer
  }
  const evict = (): void => {
    const entries = peers.size < MAX_PEERS ? 0 : MAX_PEERS / 10
    const bytes = advertBytes <= MAX_ADVERTS_BYTES ? 0 : advertBytes - 0.9 * MAX_ADVERTS_BYTES
    if (entries === 0 && bytes === 0) return
    const idle = [...peers.values()].filter((peer) => !peer.connected)
    const candidates = idle.map((peer) => ({
      peerId: peer.peerId,
      source: sources.get(peer.peerId) ?? '',
      bytes: peer.advert === undefined ? 0 : memoryOf(peer.advert),
      lastSeenAt: peer.lastSeenAt ?? 0,
    }))
    for (const { peerId } of chooseEvicted(candidates, entries, bytes)) {
      dropAdvert(peers.get(peerId))
      peers.delete(peerId)
      sources.delete(peerId)
    }
  }
  const dropAdvert = (peer: KnownPeer | undefined): void => {
    if (peer?.advert === undefined) return
    advertBytes -= memoryOf(peer.advert)
    index.remove(peer, peer.advert.advert.functions)
    delete peer.advert
    store.remove(peer.peerId)
  }
  const isValid = (signed: SignedAdvert): boolean =>
    (usableUntil.get(signed) ?? 0) > clock.monotonic() &&
    // A device that slept did not count the time.
    signed.advert.expiresAt + CLOCK_TOLERANCE_MS > clock.now()

  const table: PeerTable = {
    get: (peerId) => peers.get(peerId),
    list: () => [...peers.values()],
    refOf(peerId) {
      return { peerId, name: peers.get(peerId)?.name ?? peerId.slice(-8) }
    },
    setAdvert(signed, from) {
      const peer = entry(signed.advert.peerId)
      if (peer.advert !== undefined && peer.advert.advert.seq >= signed.advert.seq) return false
      if (from !== undefined && peer.lastSeenAt === null) sources.set(peer.peerId, from)
      const { issuedAt, expiresAt } = signed.advert
      usableUntil.set(signed, clock.monotonic() + Math.min(expiresAt - issuedAt, MAX_ADVERT_VALIDITY_MS))
      advertBytes += memoryOf(signed) - (peer.advert === undefined ? 0 : memoryOf(peer.advert))
      if (peer.advert !== undefined) index.remove(peer, peer.advert.advert.functions)
      index.add(peer, signed.advert.functions)
      peer.advert = signed
      peer.name = signed.advert.name
      peer.software = signed.advert.software
      peer.lastSeenAt ??= clock.now()
      store.save(peer.peerId, signed)
      evict()
      return true
    },
    introduce(peerId, hello) {
      const peer = entry(peerId)
      peer.name = hello.name
      peer.software = hello.software
      if (hello.clockAheadMs === undefined) delete peer.clockAheadMs
      else peer.clockAheadMs = hello.clockAheadMs
    },
    setConnected(peerId, connected) {
      const peer = entry(peerId)
      peer.connected = connected
      sources.delete(peerId)
      peer.lastSeenAt = clock.now()
    },
    addRtt(peerId, rttMs) {
      const peer = peers.get(peerId)
      if (peer === undefined) return
      peer.rttMs = peer.rttMs === null ? rttMs : peer.rttMs + RTT_SMOOTHING * (rttMs - peer.rttMs)
      peer.lastSeenAt = clock.now()
    },
    providersOf(name) {
      const found: { peer: KnownPeer; fn: AdvertisedFunction }[] = []
      for (const offer of index.offersOf(name)) {
        if (offer.peer.advert !== undefined && isValid(offer.peer.advert)) found.push(offer)
      }
      return found
    },
    knownSeqs(peerIds) {
      const seqs = new Map<string, number>()
      for (const peerId of peerIds ?? peers.keys()) {
        const signed = peers.get(peerId)?.advert
        if (signed !== undefined && isValid(signed)) seqs.set(peerId, signed.advert.seq)
      }
      return seqs
    },
    prune() {
      const listedSince = clock.now() - LISTED_MS
      for (const peer of peers.values()) {
        if (peer.advert !== undefined && !isValid(peer.advert)) dropAdvert(peer)
        const isGone = !peer.connected && peer.advert === undefined
        if (!isGone || (peer.lastSeenAt ?? 0) > listedSince) continue
        peers.delete(peer.peerId)
        sources.delete(peer.peerId)
      }
    },
    clockSet(byMs) {
      for (const peer of peers.values()) {
        if (peer.lastSeenAt !== null) peer.lastSeenAt += byMs
        if (peer.clockAheadMs !== undefined) peer.clockAheadMs -= byMs
      }
    },
  }

  for (const { peerId, bytes } of store.load()) {
    const signed = verifyStored(verify, bytes)
    if (signed !== undefined && signed.advert.expiresAt > clock.now()) table.setAdvert(signed)
    else store.remove(peerId)
  }
  return table
}

function memoryOf({ advert, bytes }: SignedAdvert): number {
  return bytes.length + advert.functions.length * FUNCTION_BYTES
}

/** What has expired while we were off, or no longer parses after an update, is simply not known. */
function verifyStored(verify: PeerTableComponents['verify'], bytes: Uint8Array): SignedAdvert | undefined {
  try {
    return verify(bytes)
  } catch {
    return undefined
  }
}
