import type { MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { EasyNetError } from '../errors/error.ts'
import { type Clock, systemClock } from '../util/clock.ts'
import { createRateLimit, type RateLimit } from '../util/rate-limit.ts'
import { IncomingBytes } from './length-prefixes.ts'
import {
  MAX_INBOUND_STREAMS,
  MAX_STREAM_WINDOW_BYTES,
  YAMUX_PING_BURST,
  YAMUX_PINGS_PER_SECOND,
} from './limits.ts'
import { type FrameHeader, FrameReader, YamuxFlag, YamuxType } from './yamux-frames.ts'

export interface MessageRate {
  perSecond: number
  burst: number
}

export interface GuardedMuxerInit {
  /** Protocols that this node serves now. */
  protocols: () => readonly string[]
  /** Those whose messages the library reads by their lengths, and how many of them one connection may bring. */
  prefixed: Readonly<Record<string, MessageRate>>
  clock?: Clock
}

/**
 * Yamux that looks at each frame before the library does: the library waits for frames of any length, up to
 * 4 GiB, answers any number of pings, and reads lengths without end.
 */
export function guardMuxer(create: () => StreamMuxerFactory, init: GuardedMuxerInit) {
  return (): StreamMuxerFactory => {
    const factory = create()
    return {
      protocol: factory.protocol,
      createStreamMuxer(connection) {
        // Before the library's own listener, so that it does not see what broke the rules.
        const guard = new FrameGuard(connection.direction === 'inbound', init)
        watchFrames(connection, guard)
        const muxer = factory.createStreamMuxer(connection)
        guard.muxer = muxer
        return muxer
      },
    }
  }
}

/** Cuts a connection at the first frame that no honest peer sends. */
export function watchFrames(
  connection: Pick<MessageStream, 'addEventListener' | 'abort'>,
  guard: FrameGuard,
): void {
  const frames = new FrameReader(guard)
  connection.addEventListener('message', (event) => {
    try {
      const { data } = event
      for (const part of data instanceof Uint8Array ? [data] : data) frames.read(part)
    } catch (error) {
      event.stopImmediatePropagation()
      connection.abort(EasyNetError.from(error))
    }
  })
}

interface IncomingStream {
  bytes: IncomingBytes
  hasEnded: boolean
}

/** Streams that are remembered before those that are gone are looked for. */
const MAX_REMEMBERED = 4 * MAX_INBOUND_STREAMS

/** Decides about each frame of one connection. @throws `protocol_violation` */
export class FrameGuard {
  muxer: Pick<StreamMuxer, 'streams'> | undefined
  readonly #isServer: boolean
  readonly #init: GuardedMuxerInit
  readonly #pings: RateLimit
  readonly #messages = new Map<string, RateLimit>()
  readonly #streams = new Map<number, IncomingStream>()
  readonly #isPrefixed: (protocol: string) => boolean

  /** @param isServer - true when the other side has dialled, so that its streams have odd numbers */
  constructor(isServer: boolean, init: GuardedMuxerInit) {
    this.#isServer = isServer
    this.#init = init
    const { clock = systemClock, prefixed } = init
    this.#isPrefixed = (protocol) => Object.hasOwn(prefixed, protocol)
    for (const [protocol, rate] of Object.entries(prefixed)) {
      this.#messages.set(protocol, createRateLimit({ ...rate, clock }))
    }
    this.#pings = createRateLimit({ perSecond: YAMUX_PINGS_PER_SECOND, burst: YAMUX_PING_BURST, clock })
  }

  onHeader({ type, flags, stream, length }: FrameHeader): void {
    if (type === YamuxType.ping) {
      if ((flags & YamuxFlag.syn) !== 0 && !this.#pings.take('')) {
        throw violation(`More than ${YAMUX_PINGS_PER_SECOND} pings per second came.`)
      }
      return
    }
    if (type === YamuxType.data && length > MAX_STREAM_WINDOW_BYTES) {
      throw violation(`A frame of ${length} bytes was announced.`)
    }
    if ((flags & YamuxFlag.syn) !== 0) this.#opened(stream)
    if ((flags & YamuxFlag.rst) !== 0) this.#streams.delete(stream)
    if (type === YamuxType.data && length > 0 && this.#streams.get(stream)?.hasEnded === true) {
      throw violation('Bytes came after the end of their stream.')
    }
    if ((flags & YamuxFlag.fin) !== 0) this.#ended(stream)
  }

  onBytes(stream: number, part: Uint8Array): void {
    const known = this.#streams.get(stream) ?? this.#answered(stream)
    known?.bytes.read(part)
  }

  /** A stream that the other side opens: it says what protocol it wants. */
  #opened(stream: number): void {
    if (this.#streams.has(stream)) return
    const accepts = (protocol: string): boolean => this.#init.protocols().includes(protocol)
    const onMessage = (protocol: string): void => {
      if (this.#messages.get(protocol)?.take('') === false) throw violation(`Too much of ${protocol} came.`)
    }
    this.#remember(stream, new IncomingBytes({ accepts, onMessage }, this.#isPrefixed))
  }

  /** The first answer on a stream that we have opened. */
  #answered(stream: number): IncomingStream | undefined {
    const isOurs = (stream % 2 === 0) === this.#isServer
    if (!isOurs || this.muxer?.streams.some(({ id }) => id === String(stream)) !== true) return undefined
    return this.#remember(stream, new IncomingBytes('answer', this.#isPrefixed))
  }

  #ended(stream: number): void {
    const known = this.#streams.get(stream)
    if (known !== undefined) known.hasEnded = true
  }

  #remember(stream: number, bytes: IncomingBytes): IncomingStream {
    if (this.#streams.size >= MAX_REMEMBERED) this.#forgetGone()
    const known = { bytes, hasEnded: false }
    this.#streams.set(stream, known)
    return known
  }

  /** Streams that this side has closed, or has refused, end without a frame that comes in. */
  #forgetGone(): void {
    const open = new Set(this.muxer?.streams.map(({ id }) => Number(id)))
    for (const stream of this.#streams.keys()) if (!open.has(stream)) this.#streams.delete(stream)
  }
}

function violation(message: string): EasyNetError {
  return new EasyNetError('protocol_violation', message)
}
