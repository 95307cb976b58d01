import { EasyNetError } from '../../errors/error.ts'
import { isReason } from '../../errors/reasons.ts'
import type { Json } from '../../model/attach-message.ts'
import type { Value } from '../../model/value.ts'
import { createDeadline, type Deadline } from '../../util/signals.ts'
import type { RunnableFunction } from '../function-types.ts'
import type { AttachConnection } from './connection.ts'
import { Context } from './context.ts'
import { InputQueue } from './input-queue.ts'
import type { InvokeParams, MessageId } from './protocol.ts'
import { drive, errorOfFunction, isThenable } from './run-function.ts'
import { SendWindow } from './window.ts'

/** Runs the program's functions for one connection of the daemon: `invoke`, its streams, and `cancel`. */
export class Invocations {
  readonly #find: (name: string) => RunnableFunction | undefined
  readonly #running = new Map<MessageId, Running>()

  constructor(find: (name: string) => RunnableFunction | undefined) {
    this.#find = find
  }

  /** A request of the daemon, which is answered on `connection`. */
  onRequest(connection: AttachConnection, id: MessageId, method: string, params: Json): void {
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
  onNotification(method: string, params: Json): void {
    this.#running.get(params['call'] as MessageId)?.noted(method, params)
  }

  /** Stops everything: the daemon, and with it every caller, is gone. */
  abortAll(error: EasyNetError): void {
    const reason = new EasyNetError('interrupted', 'The connection to the daemon broke off.', {
      cause: error,
    })
    for (const { deadline } of this.#running.values()) deadline.abort(reason)
  }

  async #run(
    connection: AttachConnection,
    id: MessageId,
    invoke: InvokeParams,
    fn: RunnableFunction,
  ): Promise<void> {
    using deadline = createDeadline(invoke.timeoutMs)
    const running = new Running(connection, id, deadline, invoke.input === true)
    this.#running.set(id, running)
    let isBound = false
    try {
      const bound = fn.bind(invoke.args, invoke.kwargs)
      const parameters = isThenable(bound) ? await bound : bound
      isBound = true
      const context = new Context(running, invoke)
      const driven = drive(fn, [...parameters, context], deadline, (chunk) => running.sendChunk(chunk))
      const value = isThenable(driven) ? await driven : driven
      this.#end(id, running)
      connection.reply(id, { value: value ?? null })
    } catch (error) {
      this.#end(id, running)
      const failure = isBound ? errorOfFunction(error, deadline) : EasyNetError.from(error, 'function_error')
      connection.replyError(id, failure.toJSON())
    }
  }

  #end(id: MessageId, running: Running): void {
    this.#running.delete(id)
    running.isOver = true
  }
}

/** One run of a function. What only streams need is made for the first item. */
class Running {
  readonly deadline: Deadline
  readonly input: InputQueue | undefined
  isOver = false
  readonly #connection: AttachConnection
  readonly #id: MessageId
  #window: SendWindow | undefined

  constructor(connection: AttachConnection, id: MessageId, deadline: Deadline, hasInput: boolean) {
    this.#connection = connection
    this.#id = id
    this.deadline = deadline
    if (hasInput) this.input = new InputQueue(deadline, (n) => this.notify('ack', { of: 'input', n }))
  }

  /** Tells the daemon something about this run; nothing when it has ended. */
  notify(method: string, params: object): void {
    if (!this.isOver) this.#connection.notify(method, { call: this.#id, ...params })
  }

  async sendChunk(value: unknown): Promise<void> {
    this.#window ??= new SendWindow()
    await this.#window.take(this.deadline.signal)
    this.notify('chunk', { value })
  }

  noted(method: string, params: Json): void {
    if (method === 'cancel') this.deadline.abort(cancelError(params['reason']))
    else if (method === 'ack') this.#window?.acknowledge(params['n'])
    else if (method === 'input') this.input?.push((params['value'] ?? null) as Value)
    else if (method === 'inputEnd') this.input?.end(params['error'])
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
