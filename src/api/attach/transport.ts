import type { EasyNetError } from '../../errors/error.ts'
import type { Json, MessageListener } from '../../model/attach-message.ts'

/** What a connection tells its owner. */
export interface TransportEvents {
  message: MessageListener
  /** Bytes have come: the program is alive. */
  alive: () => void
  /** The program broke the framing; nothing more is read. */
  violation: (error: EasyNetError) => void
  /** The connection has ended, for whatever reason. Called once. */
  closed: () => void
}

/** Whole messages over one connection, in either framing. */
export interface Transport {
  /** Begins to read. */
  start(events: TransportEvents): void
  /**
   * Queues one message, which gets a member `bin`. Those of one turn of the event loop are written together.
   *
   * @throws `too_large` before anything of it was queued
   */
  send(json: Json, blobs: readonly Uint8Array[]): void
  /** Queues one message that is in no hurry: it may leave up to `PATIENCE_MS` later, together with the next. */
  sendLater(json: Json): void
  /** Bytes that wait to be written. */
  readonly bufferedBytes: number
  /** Resolves when all that waits has been written, or the connection is gone. */
  drained(): Promise<void>
  pause(): void
  resume(): void
  /** Writes what is queued, then closes. */
  end(): void
  destroy(): void
}
