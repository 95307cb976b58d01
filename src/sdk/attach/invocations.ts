import { EasyNetError } from '../../errors/error.ts'
import type { Value } from '../../model/value.ts'
import { isReason } from '../../errors/reasons.ts'
import { type Channel, createChannel } from '../../util/channel.ts'
import { abortReason, createDeadline } from '../../util/signals.ts'
import type { CallContext, RunnableFunction } from '../function-types.ts'
import type { AttachConnection } from './connection.ts'
import { ACK_EVERY_ITEMS, WINDOW_ITEMS } from '../../model/attach.ts'
import { type InvokeParams, type MessageId } from './protocol.ts'
import { drive, errorOfFunction } from './run-function.ts'
import { SendWindow } from './window.ts'

interface Running {
  abort(error: EasyNetError): void
  window: SendWindow
  input: Channel<Value>
}

/** Runs the program's functions for one connection of the daemon: `invoke`, its streams, and `cancel`. */
export class Invocations {
  readonly #find: (name: string) => RunnableFunction | undefined
  readonly #running = new Map<MessageId, Running>()

  constructor(find: (name: string) => RunnableFunction | undefined) {
    this.#find = find
  }

  /** A request of the daemon, which is answered on `connection`. */
  onRequest(
    connection: AttachConnection,
    id: MessageId,
    method: string,
    params: Record<string, unknown>,
  ): void {
    if (method !== 'invoke') {
      const message = `This program does not know "${method}".`
      return connection.replyError(id, new EasyNetError('not_implemented', message).toJSON())
    }
    const invoke = params as unknown as InvokeParams
    const fn = this.#find(invoke.fn)
    if (fn === undefined) {
      const message = `This program offers no function "${invoke.fn}".`
      return connection.replyError(id, new EasyNetError('unknown_function', message).toJSON())
    }
    void this.#run(connection, id, invoke, fn)
  }

  /** A notification about one of the running functions. */
  onNotification(method: string, params: Record<string, unknown>): void {
    const running = this.#running.get(params['call'] as MessageId)
    if (running === undefined) return
    if (method === 'cancel') running.abort(cancelError(params['reason']))
    else if (method === 'ack') running.window.acknowledge(params['n'])
    else if (method === 'input') void running.input.push((params['value'] ?? null) as Value)
    else if (method === 'inputEnd') {
      if (params['error'] === undefined || params['error'] === null) running.input.end()
      else running.input.fail(EasyNetError.fromData(params['error']))
    }
  }

  /** Stops everything: the daemon, and with it every caller, is gone. */
  abortAll(error: EasyNetError): void {
    const reason = new EasyNetError('interrupted', 'The connection to the daemon broke off.', {
      cause: error,
    })
    for (const running of this.#running.values()) running.abort(reason)
  }

  async #run(
    connection: AttachConnection,
    id: MessageId,
    invoke: InvokeParams,
    fn: RunnableFunction,
  ): Promise<void> {
    const controller = new AbortController()
    const window = new SendWindow()
    // Twice the window: a well-behaved daemon never fills it, so that `push` needs no waiting.
    const input = createChannel<Value>(WINDOW_ITEMS * 2)
    if (invoke.input !== true) input.end()
    const running: Running = { abort: (error) => controller.abort(error), window, input }
    this.#running.set(id, running)
    using deadline = createDeadline(invoke.timeoutMs, controller.signal)
    const { signal } = deadline
    signal.addEventListener('abort', () => input.fail(abortReason(signal)), { once: true })
    const context = createContext(connection, id, invoke, deadline, input, () => this.#running.has(id))
    let refused = false
    try {
      const parameters = await fn.bind(invoke.args, invoke.kwargs).catch((error: unknown) => {
        refused = true
        throw EasyNetError.from(error, 'function_error')
      })
      const value = await drive(fn, [...parameters, context], signal, async (chunk) => {
        await window.take(signal)
        connection.notify('chunk', { call: id, value: chunk })
      })
      this.#running.delete(id)
      connection.reply(id, { value: value ?? null })
    } catch (error) {
      this.#running.delete(id)
      const failure = refused ? EasyNetError.from(error) : errorOfFunction(error, signal)
      connection.replyError(id, failure.toJSON())
    }
  }
}

function createContext(
  connection: AttachConnection,
  id: MessageId,
  invoke: InvokeParams,
  deadline: { signal: AbortSignal; remainingMs(): number },
  input: Channel<Value>,
  isRunning: () => boolean,
): CallContext {
  return {
    signal: deadline.signal,
    deadline: Date.now() + invoke.timeoutMs,
    remainingMs: () => deadline.remainingMs(),
    progress(value) {
      if (isRunning()) connection.notify('progress', { call: id, value })
    },
    log(message, level = 'info') {
      if (isRunning()) connection.notify('log', { call: id, level, message })
    },
    caller: invoke.caller,
    callId: invoke.id,
    traceparent: invoke.traceparent ?? '',
    input: acknowledged(connection, id, input),
    budget: null,
  }
}

/** The inputs, each acknowledged when the function asks for the one after it. */
async function* acknowledged(connection: AttachConnection, id: MessageId, input: Channel<Value>) {
  let taken = 0
  for await (const item of input) {
    yield item
    taken += 1
    if (taken % ACK_EVERY_ITEMS === 0) connection.notify('ack', { call: id, of: 'input', n: taken })
  }
}

function cancelError(reason: unknown): EasyNetError {
  const known = isReason(reason) ? reason : 'cancelled'
  const texts: Record<string, string> = {
    deadline_exceeded: 'The deadline of the call has passed.',
    interrupted: 'The caller is gone.',
  }
  return new EasyNetError(known, texts[known] ?? 'The caller cancelled the call.')
}
