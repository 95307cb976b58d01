// Stop 6 of 7 of a call: comes over the wire from client.ts, goes to runtimes/executor.ts.
import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../../errors/error.ts'
import { HEADER_TIMEOUT_MS, MAX_SHARED_STREAMS_PER_PEER } from './constants.ts'
import { createFrameStream } from './frame-stream.ts'
import { FrameType } from './frames.ts'
import { serveOwnStream } from './handle-own.ts'
import { serveSharedStream } from './handle-shared.ts'
import type { CallHandlerComponents, StreamServer } from './stream-server.ts'

/** Serves `/easynet/call/1.0.0`. Resolves when the stream has ended. */
export function createCallHandler(components: CallHandlerComponents) {
  const sharedStreams = new Map<string, number>()
  const countShared = (peerId: string, change: number): void => {
    const count = (sharedStreams.get(peerId) ?? 0) + change
    if (count > MAX_SHARED_STREAMS_PER_PEER) {
      throw new EasyNetError(
        'protocol_violation',
        `A peer has ${MAX_SHARED_STREAMS_PER_PEER} shared streams.`,
      )
    }
    if (count > 0) sharedStreams.set(peerId, count)
    else sharedStreams.delete(peerId)
  }

  return async function handleCallStream(stream: Stream, peerId: string): Promise<void> {
    const caller = components.callerOf(peerId)
    const ended = Promise.withResolvers<void>()
    let server: StreamServer | undefined
    let isShared = false
    const headerTimer = setTimeout(() => {
      frames.abort(new EasyNetError('deadline_exceeded', 'No call came on a stream of the call protocol.'))
    }, HEADER_TIMEOUT_MS)

    const frames = createFrameStream(stream, {
      onFrame(frame) {
        if (server === undefined) {
          clearTimeout(headerTimer)
          const alone = frame.call === 0 || frame.type === FrameType.ask
          if (!alone) countShared(peerId, 1)
          isShared = !alone
          server = alone
            ? serveOwnStream(components, frames, caller)
            : serveSharedStream(components, frames, caller)
        }
        return server.onFrame(frame)
      },
      onClose() {
        clearTimeout(headerTimer)
        if (isShared) countShared(peerId, -1)
        if (server === undefined) frames.abort(new EasyNetError('protocol_violation', 'No call came.'))
        else server.onClose()
        ended.resolve()
      },
    })
    await ended.promise
  }
}
