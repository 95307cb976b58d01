import type { Announcement, SignedAdvert } from '../model/advert.ts'

// What discovery needs from others; `daemon/` passes it in.

export interface PeerAddresses {
  peerId: string
  addresses: string[]
}

export interface DiscoveryNetwork {
  readonly peerId: string
  isConnected(peerId: string): boolean
  /** True when one more connection would cost another one. */
  isFull(): boolean
  /** Its connection is the last that is given up for others. */
  protect(peerId: string): void
  connect(peerId: string, addresses: readonly string[], signal: AbortSignal): Promise<void>
  connectTo(address: string, signal: AbortSignal): Promise<string>
  connectedPeers(): { peerId: string; direction: 'inbound' | 'outbound' }[]
  rememberedPeers(): Promise<PeerAddresses[]>
  ping(peerId: string, signal: AbortSignal): Promise<number>
  /** Who provides a key in the DHT. */
  findProviders(key: string, signal: AbortSignal): AsyncIterable<PeerAddresses>
}

/** Which adverts are asked for, all when empty; and how long the answer is wanted. */
export interface PullRequest {
  /** Those of these peers. */
  peerIds?: readonly string[]
  /** Those that offer the function of this name. */
  offering?: string
  signal?: AbortSignal
}

export interface Introductions {
  /** Tells a peer who we are and learns who it is. */
  /** Undefined when the peer has shown that it is none of ours. */
  hello(peerId: string): Promise<{ name: string; software: string } | undefined>
  /** Adverts newer than what we have, from one peer, all verified. */
  pull(peerId: string, known: ReadonlyMap<string, number>, only?: PullRequest): AsyncIterable<SignedAdvert>
  announce(announcement: Announcement): Promise<void>
}
