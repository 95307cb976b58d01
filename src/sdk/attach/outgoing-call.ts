import { EasyNetError } from '../../errors/error.ts'
import type { CallResult, LogEntry } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import { raceSignal } from '../../util/signals.ts'
import type { AttachConnection } from './connection.ts'
import { ACK_EVERY_ITEMS } from '../../model/attach.ts'
import { type MessageId } from './protocol.ts'
import { SendWindow } from './window.ts'

// A call: … → sdk/mesh.ts → here ⇢ app connection ⇢ api/attach (daemon).

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

/** Where the parts of a running call go. */
export interface CallHooks {
  /** Cancels the call on the daemon when it aborts. */
  signal: AbortSignal
  onAccepted?: ((id: string) => void) | undefined
  onChunk?: ((value: Value) => void) | undefined
  onProgress?: ((value: Value) => void) | undefined
  onLog?: ((entry: LogEntry) => void) | undefined
  /** Items that are sent to the function while it runs. */
  input?: AsyncIterable<unknown> | Iterable<unknown> | undefined
}

export interface SentCall {
  result: Promise<CallResult>
  /** Tells the daemon how many chunks the consumer has taken in all. */
  taken(count: number): void
}

/** Sends one call and routes what belongs to it. */
export function sendCall(connection: AttachConnection, params: CallParams, hooks: CallHooks): SentCall {
  const window = new SendWindow()
  const { id, answer } = connection.request('call', params, (method, note) => {
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
        return window.acknowledge(note['n'])
    }
  })
  return {
    result: finish(connection, id, answer, window, hooks),
    taken(count) {
      if (count % ACK_EVERY_ITEMS === 0) connection.notify('ack', { call: id, of: 'chunk', n: count })
    },
  }
}

async function finish(
  connection: AttachConnection,
  id: MessageId,
  answer: Promise<unknown>,
  window: SendWindow,
  hooks: CallHooks,
): Promise<CallResult> {
  // An abort makes an error with its stack: only for a call that has somebody to tell.
  const ended = hooks.input === undefined ? undefined : new AbortController()
  if (hooks.input !== undefined && ended !== undefined) {
    const signal = AbortSignal.any([hooks.signal, ended.signal])
    void sendInput(connection, id, hooks.input, window, signal)
  }
  try {
    return (await raceSignal(answer, hooks.signal)) as CallResult
  } catch (error) {
    if (hooks.signal.aborted && connection.lost === undefined) {
      connection.notify('cancel', { call: id })
      connection.forget(id)
    }
    throw error
  } finally {
    ended?.abort()
  }
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
