import type { StreamMuxerFactory } from '@libp2p/interface'
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux'

/**
 * yamux as the library has it, with fewer window updates. This reaches into what the library does not
 * promise; where it has changed, streams work as they would without. A test says when that happens
 * (test/unit/network/tuned-yamux.test.ts).
 */
export function tunedYamux(init: YamuxMuxerInit): () => StreamMuxerFactory {
  const create = yamux(init)
  return () => {
    const factory = create()
    const createMuxer = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      const muxer = createMuxer(connection)
      tune(muxer)
      return muxer
    }
    return factory
  }
}

/** What we touch of the library's muxer. */
interface Muxer {
  _newStream(...args: unknown[]): object
}

/** What we touch of a stream. */
interface YamuxStream {
  state: number
  recvWindow: number
  recvWindowCapacity: number
  sendWindowUpdate(): void
  getRTT(): number
}

/** Sent the opening, established: in the other states an update has more to say, or the library waits. */
const PLAIN_STATES = [1, 3]

function tune(muxer: object): void {
  if (!isMuxer(muxer)) return
  const create = muxer._newStream.bind(muxer)
  muxer._newStream = (...args) => {
    const stream = create(...args)
    if (isYamuxStream(stream)) tuneStream(stream)
    return stream
  }
}

function isMuxer(muxer: object): muxer is Muxer {
  return typeof (muxer as Partial<Muxer>)._newStream === 'function'
}

export function isYamuxStream(stream: object): stream is YamuxStream {
  const known = stream as Partial<YamuxStream>
  const methods = [known.sendWindowUpdate, known.getRTT]
  const numbers = [known.state, known.recvWindow, known.recvWindowCapacity]
  return methods.every((it) => typeof it === 'function') && numbers.every((it) => typeof it === 'number')
}

function tuneStream(stream: YamuxStream): void {
  // The library answers every frame with a window update. As in go-yamux, half a window is worth one.
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const isWorthIt = stream.recvWindowCapacity <= stream.recvWindow / 2
    if (isWorthIt || !PLAIN_STATES.includes(stream.state)) update()
  }
  // A window grows when half of it was read within four round trips. The library measures both in whole
  // milliseconds: in a LAN a round trip takes none.
  const roundTripMs = stream.getRTT.bind(stream)
  stream.getRTT = () => {
    const ms = roundTripMs()
    return ms < 0 ? ms : ms + 1
  }
}
