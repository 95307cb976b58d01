import type { EasyNetError } from '../errors/error.ts'
import type { CallResult, LogEntry } from '../model/call.ts'
import type { Value } from '../model/value.ts'
import type { DaemonTarget } from './find-daemon.ts'
import type { FunctionDefinition } from './fn.ts'

export interface ConnectOptions extends DaemonTarget {
  /** Name of the program in the daemon's logs. @default the script's file name */
  client?: string
  /** Stops the attempt to connect. */
  signal?: AbortSignal
  /** The daemon is gone, or refuses us when we come back; attempts go on. */
  onDisconnect?: (error: EasyNetError) => void
  /** The connection stands again, and the functions are registered. */
  onReconnect?: () => void
}

export interface CallOptions {
  /** @default 60_000 */
  timeoutMs?: number
  /** Cancels the call, on the provider too. */
  signal?: AbortSignal
  /** Run it there and nowhere else: peer id or name. */
  peer?: string
  /** Idempotency key: with the same key the function runs at most once. */
  key?: string
  /** Most credits that it may cost. */
  maxCost?: number
  /** W3C trace context that the function gets; the daemon makes one for a call without. */
  traceparent?: string
  /** Arguments by name. */
  kwargs?: Record<string, unknown>
  /** Items that the function reads while it runs (`clientStream`). Back-pressure reaches the source. */
  input?: AsyncIterable<unknown> | Iterable<unknown>
  /** Gets the call's id when the daemon has taken it, before the result; another one when it had to be made anew. */
  onAccepted?: (id: string) => void
  onProgress?: (value: Value) => void
  onLog?: (entry: LogEntry) => void
}

/** A {@link CallResult}; `recovered` when the daemon was restarted meanwhile and only the outcome is known. */
export interface CallInfo extends CallResult {
  recovered?: true
}

/** A function's name or address (`name`, `peer/name`, `name@^2`), or its definition. */
export type Callable = string | Pick<FunctionDefinition, 'name'>
