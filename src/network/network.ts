import type { Stream } from '@libp2p/interface'
import type { EasyNetError } from '../errors/error.ts'

/** The wire as the rest of EasyNet sees it; `libp2p-network.ts` builds it. */
export interface Network extends AsyncDisposable {
  readonly peerId: string
  /** Starts listening. Register handlers and listeners before. */
  start(): Promise<void>
  /** Multiaddrs that others can dial, with our peer id. */
  addresses(): string[]
  /** One entry per connected peer; the same list until something changes. */
  connections(): ConnectionInfo[]
  isConnected(peerId: string): boolean
  /** True when one more connection would cost another one. */
  isFull(): boolean
  /** When there are too many connections, protected peers lose theirs last. Until the end of the process. */
  protect(peerId: string): void
  /**
   * Connects to a peer by the addresses known of it, plus the given ones.
   * @throws `peer_unreachable`
   */
  connect(peerId: string, addresses: readonly string[], signal: AbortSignal): Promise<void>
  /** Connects to whoever answers at a multiaddr and resolves with its peer id. @throws `peer_unreachable` */
  connectTo(address: string, signal: AbortSignal): Promise<string>
  /** @throws `peer_unreachable`; the stream is closed by the caller */
  openStream(peerId: string, protocol: string, signal: AbortSignal): Promise<Stream>
  /** Serves a protocol. A handler that throws resets its stream. */
  handle(protocol: string, maxStreamsPerPeer: number, handler: StreamHandler): Promise<void>
  /** Lets the peer use all protocols, from now on. */
  admit(peerId: string): void
  /** Ends what waits for the peer with this error, and its connections. It may introduce itself anew. */
  refuse(peerId: string, why: EasyNetError): void
  /** Closes every connection to a peer. */
  disconnect(peerId: string): Promise<void>
  /** One round trip. @throws `peer_unreachable` */
  ping(peerId: string, signal: AbortSignal): Promise<number>
  listen(listener: NetworkListener): void
  readonly gossip: Gossip
  readonly directory: Directory
  /** Refuses the peer's connections from now on; closes the open ones. */
  setBlocked(peerIds: ReadonlySet<string>): Promise<void>
  /** The peers that were known when this device last ran, with their addresses. */
  rememberedPeers(): Promise<PeerAddresses[]>
}

export type StreamHandler = (stream: Stream, peerId: string) => Promise<void>

export interface PeerAddresses {
  peerId: string
  addresses: string[]
}

export interface ConnectionInfo {
  peerId: string
  address: string
  path: 'direct' | 'relayed'
  direction: 'inbound' | 'outbound'
}

export interface NetworkListener {
  connected?(peerId: string): void
  disconnected?(peerId: string): void
  /** A peer was seen on the local network or told by others. */
  discovered?(peer: PeerAddresses): void
}

/** `accept` passes it on, `ignore` and `reject` do not; `reject` says that the message itself is wrong. */
export type Verdict = 'accept' | 'ignore' | 'reject'

export interface Gossip {
  /** Subscribes at the start. `receive` decides about each message; `from` is the peer that passed it to us. */
  onStart(topic: string, receive: (data: Uint8Array, from: string) => Verdict): void
  publish(topic: string, data: Uint8Array): Promise<void>
}

/** The distributed hash table: who provides a key. */
export interface Directory {
  /** Says that we provide `key`; repeated by the library until `retract`. */
  provide(key: string, signal: AbortSignal): Promise<void>
  retract(key: string): Promise<void>
  find(key: string, signal: AbortSignal): AsyncIterable<PeerAddresses>
}
