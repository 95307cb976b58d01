import type { Socket } from 'node:net'

/**
 * Keeps the number of open connections within a limit. When one more comes, the connection that has been
 * idle longest makes room, so that a crowd that only connects cannot keep programs out.
 */
export interface ConnectionPool {
  /** Takes in a new connection, or destroys it when all others are at work. */
  add(socket: Socket): void
  /** A request on `socket` has passed the guard. */
  busy(socket: Socket): void
  /** Nothing runs on `socket` any more. */
  idle(socket: Socket): void
  /** Closes idle connections now, the others when they become idle. */
  drain(): void
  destroyAll(): void
}

export function createConnectionPool(maxConnections: number): ConnectionPool {
  const all = new Set<Socket>()
  // A Set keeps the order of insertion: the first one has waited longest.
  const waiting = new Set<Socket>()
  let isDraining = false
  const remove = (socket: Socket): void => {
    all.delete(socket)
    waiting.delete(socket)
  }
  const drop = (socket: Socket): void => {
    remove(socket)
    socket.destroy()
  }
  return {
    add(socket) {
      if (all.size >= maxConnections) {
        const oldest = waiting.values().next().value
        if (oldest === undefined) {
          socket.destroy()
          return
        }
        drop(oldest)
      }
      all.add(socket)
      waiting.add(socket)
      socket.once('close', () => remove(socket))
    },
    busy: (socket) => void waiting.delete(socket),
    idle(socket) {
      if (!all.has(socket)) return
      if (isDraining) socket.destroySoon()
      else waiting.add(socket)
    },
    drain() {
      isDraining = true
      for (const socket of waiting) drop(socket)
    },
    destroyAll() {
      for (const socket of all) drop(socket)
    },
  }
}
