import { EasyNetError } from '../../errors/error.ts'
import { MAX_INBOUND_BYTES_PER_PEER } from './constants.ts'

/** Bounds the bytes that one peer can make us hold as arguments and inputs. */
export interface InboundBudget {
  /** Reserves bytes before they are allocated. @throws `too_many_calls` when the peer has too many */
  reserve(peerId: string, bytes: number): Disposable
}

export function createInboundBudget(maxBytes: number = MAX_INBOUND_BYTES_PER_PEER): InboundBudget {
  const used = new Map<string, number>()
  return {
    reserve(peerId, bytes) {
      const before = used.get(peerId) ?? 0
      if (before + bytes > maxBytes) {
        throw new EasyNetError('too_many_calls', 'Too many argument bytes of this device are on their way.', {
          details: { usedBytes: before, askedBytes: bytes, limitBytes: maxBytes },
        })
      }
      used.set(peerId, before + bytes)
      let released = false
      return {
        [Symbol.dispose]() {
          if (released) return
          released = true
          const left = (used.get(peerId) ?? 0) - bytes
          if (left > 0) used.set(peerId, left)
          else used.delete(peerId)
        },
      }
    },
  }
}
