// Stop 6 of 7 of a call: comes over the wire from client.ts, goes to runtimes/executor.ts.
import type { Stream } from '@libp2p/interface'
import { EasyNetError } from '../../errors/error.ts'
import { HEADER_TIMEOUT_MS } from './constants.ts'
import { createFrameStream } from './frame-stream.ts'
import { FrameType } from './frames.ts'
import { serveOwnStream } from './handle-own.ts'
import { serveSharedStream } from './handle-shared.ts'
import type { CallHandlerComponents, StreamServer } from './stream-server.ts'

/** Serves `/easynet/call/1.0.0`. Resolves when the stream has ended. */
export function createCallHandler(components: CallHandlerComponents) {
  return async function handleCallStream(stream: Stream, peerId: string): Promise<void> {
    const caller = components.callerOf(peerId)
    const ended = Promise.withResolvers<void>()
    let server: StreamServer | undefined
    const headerTimer = setTimeout(() => {
      frames.abort(new EasyNetError('deadline_exceeded', 'No call came on a stream of the call protocol.'))
    }, HEADER_TIMEOUT_MS)

    const frames = createFrameStream(stream, {
      onFrame(frame) {
        if (server === undefined) {
          clearTimeout(headerTimer)
          const alone = frame.call === 0 || frame.type === FrameType.ask
          server = alone
            ? serveOwnStream(components, frames, caller)
            : serveSharedStream(components.executor, frames, caller)
        }
        return server.onFrame(frame)
      },
      onClose() {
        clearTimeout(headerTimer)
        server?.onClose()
        ended.resolve()
      },
    })
    await ended.promise
  }
}
