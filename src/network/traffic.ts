import type { MessageStream } from '@libp2p/interface'
import { Socket } from 'node:net'

/** Bytes on the wire, with encryption and handshakes, of every TCP connection since the start. */
export interface Traffic {
  watch(wire: MessageStream): void
  totals(): { receivedBytes: number; sentBytes: number }
}

/** Reads what the sockets count anyway: nothing is done per message. */
export function createTraffic(): Traffic {
  const open = new Set<Socket>()
  let [receivedBytes, sentBytes] = [0, 0]
  return {
    watch(wire) {
      const { socket } = wire as { socket?: unknown }
      if (!(socket instanceof Socket) || socket.destroyed) return
      open.add(socket)
      socket.once('close', () => {
        open.delete(socket)
        receivedBytes += socket.bytesRead
        sentBytes += socket.bytesWritten
      })
    },
    totals() {
      const totals = { receivedBytes, sentBytes }
      for (const socket of open) {
        totals.receivedBytes += socket.bytesRead
        totals.sentBytes += socket.bytesWritten
      }
      return totals
    },
  }
}
