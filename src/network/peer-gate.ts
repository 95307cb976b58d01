import { EasyNetError } from '../errors/error.ts'

/** Which peers may use our protocols. Until that is known their streams wait; see `guarded-registrar.ts`. */
export interface PeerGate {
  /** Undefined when the peer may pass. Otherwise resolves when it may. @throws `not_a_member` */
  pass(peerId: string): Promise<void> | undefined
  admit(peerId: string): void
  /** Ends the waiting; who is refused after it was admitted waits again. */
  refuse(peerId: string, why: EasyNetError): void
}

interface Waiting {
  promise: Promise<void>
  resolve: () => void
  reject: (why: EasyNetError) => void
}

export function createPeerGate(): PeerGate {
  const admitted = new Set<string>()
  const waiting = new Map<string, Waiting>()
  return {
    pass(peerId) {
      if (admitted.has(peerId)) return undefined
      const known = waiting.get(peerId)
      if (known !== undefined) return known.promise
      const fresh = Promise.withResolvers<void>()
      // A stream that was closed meanwhile does not wait for it any more.
      fresh.promise.catch(() => undefined)
      waiting.set(peerId, fresh)
      return fresh.promise
    },
    admit(peerId) {
      admitted.add(peerId)
      waiting.get(peerId)?.resolve()
      waiting.delete(peerId)
    },
    refuse(peerId, why) {
      admitted.delete(peerId)
      waiting.get(peerId)?.reject(why)
      waiting.delete(peerId)
    },
  }
}
