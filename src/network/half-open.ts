import type { MultiaddrConnection } from '@libp2p/interface'
import { hostOf, ofLargestGroups } from './hosts.ts'
import { MAX_HALF_OPEN } from './limits.ts'

type Opening = Pick<MultiaddrConnection, 'remoteAddr' | 'abort' | 'addEventListener'>

/**
 * Inbound connections that have not proved who they are. When there are too many, the oldest of the host
 * that has most makes room: whoever only opens sockets keeps nobody else out, as it would if the newest
 * were refused.
 */
export interface HalfOpen {
  begin(connection: Opening): void
  /** It has proved who it is. */
  end(connection: Opening): void
}

export function createHalfOpen(max: number = MAX_HALF_OPEN): HalfOpen {
  const opening = new Set<Opening>()
  return {
    begin(connection) {
      opening.add(connection)
      connection.addEventListener('close', () => opening.delete(connection))
      if (opening.size <= max) return
      const [oldest] = ofLargestGroups(opening, (other) => hostOf(other.remoteAddr.toString()))
      if (oldest === undefined) return
      opening.delete(oldest)
      oldest.abort(new Error('too many connections are being opened'))
    },
    end: (connection) => void opening.delete(connection),
  }
}
