import { generateKeyPair } from '@libp2p/crypto/keys'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify, type Identify } from '@libp2p/identify'
import type { Connection, Libp2p, MessageStream, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { type DeviceKey, signerOf } from './keys.ts'

/** Whom to attack: a node in this process, or a daemon. */
export interface Target {
  peerId: string
  addresses: string[]
}

/** A peer that keeps to nothing: libp2p without any of our code on top. */
export interface Attacker extends AsyncDisposable {
  node: Libp2p<{ identify: Identify; pubsub: GossipSub }>
  peerId: string
  key: DeviceKey
  connect(victim: Target): Promise<Connection>
  /** A raw stream, with what became of it. */
  open(victim: Target, protocol: string): Promise<RawStream>
  serve(protocol: string, handler: (stream: RawStream) => void): Promise<void>
  /** Below the multiplexer: what is sent here are frames of yamux. One for each connection, newest last. */
  wires: MessageStream[]
}

export interface AttackerInit {
  /** Addresses that it names as its own. @default those where it listens */
  announced?: string[]
  /** Where it dials from. @default the system's choice */
  host?: string
}

export interface RawStream {
  stream: Stream
  send(bytes: Uint8Array): void
  received(): Buffer
  /** `reset` when the other side cut it; `closed` when both sides ended in order. */
  ended: Promise<'reset' | 'closed'>
  /** How it ended, or `open` when it has not within the time. */
  endWithin(ms: number): Promise<'reset' | 'closed' | 'open'>
}

export async function createAttacker(init: AttackerInit = {}): Promise<Attacker> {
  const wires: MessageStream[] = []
  const privateKey = await generateKeyPair('Ed25519')
  const node = await createLibp2p({
    privateKey,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'], announce: init.announced ?? [] },
    // Its type leaves out what it passes on to `net.connect`.
    transports: [tcp(init.host === undefined ? {} : { dialOpts: { localAddress: init.host } as object })],
    connectionEncrypters: [noise()],
    streamMuxers: [
      () => {
        const factory = yamux()()
        return {
          protocol: factory.protocol,
          createStreamMuxer(wire) {
            wires.push(wire)
            return factory.createStreamMuxer(wire)
          },
        }
      },
    ],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: { reconnectRetries: 0 },
    services: {
      identify: identify(),
      pubsub: gossipsub({
        allowPublishToZeroTopicPeers: true,
        fallbackToFloodsub: false,
        globalSignaturePolicy: 'StrictNoSign',
        ignoreDuplicatePublishError: true,
      }),
    },
  })
  let dialling: Promise<Connection> | undefined
  const dial = async (victim: Target): Promise<Connection> => {
    const connection = await node.dial(multiaddr(victim.addresses[0] ?? ''))
    // Until libp2p has announced the connection it takes a handful of streams only.
    await after(200, undefined)
    return connection
  }
  const connect: Attacker['connect'] = async (victim) => {
    const [open] = node.getConnections().filter((to) => to.remotePeer.toString() === victim.peerId)
    if (open !== undefined && dialling === undefined) return open
    dialling ??= dial(victim).finally(() => (dialling = undefined))
    return dialling
  }
  return {
    node,
    wires,
    peerId: node.peerId.toString(),
    key: signerOf(privateKey.raw),
    connect,
    async open(victim, protocol) {
      const connection = await connect(victim)
      return rawStream(await connection.newStream(protocol, { maxOutboundStreams: 100_000 }))
    },
    async serve(protocol, handler) {
      await node.handle(protocol, (stream) => handler(rawStream(stream)), { maxInboundStreams: 10_000 })
    },
    [Symbol.asyncDispose]: async () => node.stop(),
  }
}

export function rawStream(stream: Stream): RawStream {
  const chunks: Uint8Array[] = []
  stream.addEventListener('message', ({ data }) => chunks.push(data.subarray()))
  const ended = new Promise<'reset' | 'closed'>((resolve) => {
    // It may have ended before anybody could listen.
    if (stream.status !== 'open' && stream.status !== 'closing') resolve('reset')
    stream.addEventListener('close', ({ error }) => resolve(error === undefined ? 'closed' : 'reset'))
  })
  return {
    stream,
    send(bytes) {
      if (stream.writeStatus === 'writable') stream.send(bytes)
    },
    received: () => Buffer.concat(chunks),
    ended,
    endWithin: async (ms) => Promise.race([ended, after(ms, 'open' as const)]),
  }
}

export async function after<T>(ms: number, value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), ms).unref())
}
