import { EasyNetError } from '../../errors/error.ts'
import { MAX_INBOUND_BYTES, MAX_INBOUND_BYTES_PER_PEER } from './constants.ts'

/** Bounds the memory that arguments and inputs of other devices can take. */
export interface InboundBudget {
  /** Reserves bytes before they are allocated. @throws `too_many_calls` when there are too many */
  reserve(peerId: string, bytes: number): Disposable
}

export interface InboundBudgetInit {
  /** @default {@link MAX_INBOUND_BYTES_PER_PEER} */
  maxBytesPerPeer?: number
  /** @default {@link MAX_INBOUND_BYTES} */
  maxBytes?: number
}

/** What a list or map takes in memory when it is empty. Some 65 bytes were measured. */
const CONTAINER_BYTES = 64

export function createInboundBudget(init: InboundBudgetInit = {}): InboundBudget {
  const maxBytesPerPeer = init.maxBytesPerPeer ?? MAX_INBOUND_BYTES_PER_PEER
  const maxBytes = init.maxBytes ?? MAX_INBOUND_BYTES
  const used = new Map<string, number>()
  let usedByAll = 0
  return {
    reserve(peerId, bytes) {
      const before = used.get(peerId) ?? 0
      if (before + bytes > maxBytesPerPeer || usedByAll + bytes > maxBytes) {
        throw new EasyNetError('too_many_calls', 'Too many argument bytes are on their way.', {
          details: { usedBytes: before, askedBytes: bytes, limitBytes: maxBytesPerPeer },
        })
      }
      used.set(peerId, before + bytes)
      usedByAll += bytes
      let released = false
      return {
        [Symbol.dispose]() {
          if (released) return
          released = true
          usedByAll -= bytes
          const left = (used.get(peerId) ?? 0) - bytes
          if (left > 0) used.set(peerId, left)
          else used.delete(peerId)
        },
      }
    },
  }
}

/** The memory of a decoded value without its blobs: a few kilobytes of empty maps become megabytes. */
export function memoryOf(payloadBytes: number, decoded: unknown): number {
  return payloadBytes + CONTAINER_BYTES * containersIn(decoded)
}

function containersIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (value instanceof Uint8Array) return 1
  let count = 1
  for (const item of Array.isArray(value) ? value : Object.values(value)) count += containersIn(item)
  return count
}
