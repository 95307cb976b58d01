import type { MessageStream } from '@libp2p/interface'
import { EasyNetError } from '../errors/error.ts'
import { LIVENESS_MS, LIVENESS_TICK_MS } from './limits.ts'
import { type CreateEncrypter, onConnection } from './on-connection.ts'

/**
 * Cuts connections on which nothing has come in for `LIVENESS_MS`. Any byte is a sign of life: behind an
 * upload on a slow link a ping waits its turn for longer than a dead link may go unnoticed. Both sides
 * ping (libp2p's connection monitor), so that a link that lives is never silent for so long.
 */
export function cutWhenSilent<Components>(create: CreateEncrypter<Components>): CreateEncrypter<Components> {
  return onConnection(create, watchSilence)
}

/** Counts ticks and not time, so that while this process is busy itself nobody else is called dead. */
export function watchSilence(connection: Pick<MessageStream, 'addEventListener' | 'abort'>): void {
  let silentTicks = 0
  const timer = setInterval(() => {
    silentTicks += 1
    if (silentTicks * LIVENESS_TICK_MS < LIVENESS_MS) return
    clearInterval(timer)
    connection.abort(new EasyNetError('peer_unreachable', `Nothing was heard of it for ${LIVENESS_MS} ms.`))
  }, LIVENESS_TICK_MS)
  timer.unref()
  connection.addEventListener('message', () => (silentTicks = 0))
  connection.addEventListener('close', () => clearInterval(timer))
}
