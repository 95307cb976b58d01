import { EasyNetError } from '../../errors/error.ts'
import { ACK_EVERY_ITEMS } from '../../model/attach.ts'
import type { Json } from '../../model/attach-message.ts'
import type { CallResult, LogEntry } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import { abortReason, raceSignal } from '../../util/signals.ts'
import type { AttachConnection, Exchange } from './connection.ts'
import type { MessageId } from './protocol.ts'
import { SendWindow } from './window.ts'

// A call: … → sdk/mesh.ts → here ⇢ app connection ⇢ api/attach (daemon).

/** Longest delay that a timer can hold. */
const MAX_TIMER_MS = 2_147_483_647

/** The parameters of `call`. */
export interface CallParams {
  id?: string
  fn: string
  args: readonly unknown[]
  kwargs?: Record<string, unknown>
  peer?: string
  timeoutMs?: number
  maxCost?: number
  key?: string
  stream?: boolean
  input?: boolean
  traceparent?: string
}

/** Where the parts of a running call go, and how it ends. */
export interface CallHooks {
  /** Cancels the call on the daemon when it aborts. */
  signal?: AbortSignal | undefined
  /** Cancels it after so many milliseconds. */
  giveUpMs?: number | undefined
  onAccepted?: ((id: string) => void) | undefined
  onChunk?: ((value: Value) => void) | undefined
  onProgress?: ((value: Value) => void) | undefined
  onLog?: ((entry: LogEntry) => void) | undefined
  /** Items that are sent to the function while it runs. */
  input?: AsyncIterable<unknown> | Iterable<unknown> | undefined
  /** One of these two is called, once; `failed` with the connection's `lost` when that broke off. */
  done(result: CallResult): void
  failed(error: unknown): void
}

export type SentCall = Pick<OutgoingCall, 'taken'>

/**
 * Sends one call and routes what belongs to it.
 *
 * @throws {@link EasyNetError} when it cannot be sent; then no hook is called
 */
export function sendCall(connection: AttachConnection, params: CallParams, hooks: CallHooks): SentCall {
  return new OutgoingCall(connection, params, hooks)
}

/** A call on its way; given up when nobody wants it any more. */
class OutgoingCall implements Exchange {
  readonly #connection: AttachConnection
  readonly #hooks: CallHooks
  readonly #id: MessageId
  readonly #timer: NodeJS.Timeout | undefined
  #onAbort: (() => void) | undefined
  #input: { window: SendWindow; ended: AbortController } | undefined

  constructor(connection: AttachConnection, params: CallParams, hooks: CallHooks) {
    const { signal, giveUpMs, input } = hooks
    if (signal?.aborted === true) throw abortReason(signal)
    this.#connection = connection
    this.#hooks = hooks
    this.#id = connection.begin('call', params, this)
    if (giveUpMs !== undefined) {
      this.#timer = setTimeout(() => this.#giveUp(late(giveUpMs)), Math.min(giveUpMs, MAX_TIMER_MS))
    }
    if (signal !== undefined) {
      this.#onAbort = () => this.#giveUp(abortReason(signal))
      signal.addEventListener('abort', this.#onAbort)
    }
    if (input !== undefined) {
      this.#input = { window: new SendWindow(), ended: new AbortController() }
      void sendInput(connection, this.#id, input, this.#input.window, this.#input.ended.signal)
    }
  }

  /** Tells the daemon how many chunks the consumer has taken in all. */
  taken(count: number): void {
    if (count % ACK_EVERY_ITEMS === 0) {
      this.#connection.notify('ack', { call: this.#id, of: 'chunk', n: count })
    }
  }

  answered(result: unknown): void {
    this.#end()
    this.#hooks.done(result as CallResult)
  }

  failed(error: EasyNetError): void {
    this.#end()
    this.#hooks.failed(error)
  }

  noted(method: string, note: Json): void {
    const hooks = this.#hooks
    switch (method) {
      case 'accepted':
        return hooks.onAccepted?.(String(note['id']))
      case 'chunk':
        return hooks.onChunk?.((note['value'] ?? null) as Value)
      case 'progress':
        return hooks.onProgress?.((note['value'] ?? null) as Value)
      case 'log':
        return hooks.onLog?.({ level: note['level'] as LogEntry['level'], message: String(note['message']) })
      case 'ack':
        return this.#input?.window.acknowledge(note['n'])
    }
  }

  #giveUp(error: EasyNetError): void {
    this.#connection.notify('cancel', { call: this.#id })
    this.#connection.forget(this.#id)
    this.failed(error)
  }

  #end(): void {
    clearTimeout(this.#timer)
    if (this.#onAbort !== undefined) this.#hooks.signal?.removeEventListener('abort', this.#onAbort)
    this.#input?.ended.abort()
  }
}

function late(giveUpMs: number): EasyNetError {
  const timeoutMs = Math.round(giveUpMs)
  return new EasyNetError('deadline_exceeded', `No answer came within ${timeoutMs} ms.`, {
    details: { timeoutMs },
  })
}

/** Never rejects: a source that fails is reported to the function, which decides what becomes of the call. */
async function sendInput(
  connection: AttachConnection,
  id: MessageId,
  source: AsyncIterable<unknown> | Iterable<unknown>,
  window: SendWindow,
  signal: AbortSignal,
): Promise<void> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  try {
    while (true) {
      const step = await raceSignal(Promise.resolve(iterator.next()), signal)
      if (step.done === true) break
      await window.take(signal)
      connection.notify('input', { call: id, value: step.value })
    }
    connection.notify('inputEnd', { call: id })
  } catch (error) {
    // Not awaited: a source that is blocked in `next` would answer only after it.
    Promise.resolve(iterator.return?.()).catch(() => undefined)
    if (!signal.aborted) {
      connection.notify('inputEnd', { call: id, error: EasyNetError.from(error, 'invalid_value').toJSON() })
    }
  }
}
