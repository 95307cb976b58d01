import type { Socket } from 'node:net'
import { EasyNetError, type ErrorData } from '../../errors/error.ts'
import { joinParts } from '../../util/bytes.ts'
import { encodeFrame, type Frame, FrameReader } from './framing.ts'
import type { OpenSocket } from './open-socket.ts'
import { HEARTBEAT_MS, SILENCE_MS } from '../../model/attach.ts'
import { type Message, type MessageId } from './protocol.ts'
import { decodeMembers, encodeMembers } from './value-members.ts'

const APPLICATION_ERROR = -32_000

/** What the owner of a connection does with what the daemon sends on its own account. */
export interface AttachHandlers {
  /** A request of the daemon; answer it with `reply` or `replyError`. */
  request(id: MessageId, method: string, params: Record<string, unknown>): void
  /** A notification that belongs to a request of the daemon. */
  notification(method: string, params: Record<string, unknown>): void
  /** Called once, when the connection is gone: broken off, or closed by `close()`. */
  lost(error: EasyNetError): void
}

/** Gets the notifications that belong to one request of ours. */
export type NoteListener = (method: string, params: Record<string, unknown>) => void

interface Pending {
  resolve(result: unknown): void
  reject(error: EasyNetError): void
  note: NoteListener | undefined
}

/** JSON-RPC 2.0 in both directions over one upgraded socket; see docs/spec/attach.md. */
export class AttachConnection {
  readonly #socket: Socket
  readonly #handlers: AttachHandlers
  readonly #reader = new FrameReader()
  readonly #pending = new Map<MessageId, Pending>()
  readonly #heartbeat: NodeJS.Timeout
  #nextId = 1
  #outbox: (string | Uint8Array)[] = []
  #lastSentAt = performance.now()
  #lastHeardAt = performance.now()
  #keepAlive = false
  #lost: EasyNetError | undefined

  constructor(open: OpenSocket, handlers: AttachHandlers) {
    this.#socket = open.socket
    this.#handlers = handlers
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS / 3).unref()
    // Put back, so that nothing is handled before the caller holds this object.
    if (open.head.length > 0) this.#socket.unshift(open.head)
    this.#socket.on('data', (chunk: Uint8Array) => this.#receive(chunk))
    this.#socket.on('error', (error) => this.#end(brokenOff(error)))
    this.#socket.on('close', () => this.#end(brokenOff()))
    this.#updateRef()
  }

  /** Why the connection ended; undefined while it stands. */
  get lost(): EasyNetError | undefined {
    return this.#lost
  }

  /** While true the connection keeps the process running, even when no request waits for its answer. */
  set keepAlive(value: boolean) {
    this.#keepAlive = value
    this.#updateRef()
  }

  /** Sends a request. `answer` rejects with the daemon's error, or with `lost` when the connection ends. */
  request(method: string, params: object, note?: NoteListener): { id: MessageId; answer: Promise<unknown> } {
    const id = this.#nextId++
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost)
      this.#send({ id, method }, 'params', params)
      this.#pending.set(id, { resolve, reject, note })
      this.#updateRef()
    })
    return { id, answer }
  }

  /** Drops a request whose answer nobody waits for any more. */
  forget(id: MessageId): void {
    this.#pending.delete(id)
    this.#updateRef()
  }

  /** @throws {@link EasyNetError} `invalid_value`, `too_large` when `params` cannot be sent */
  notify(method: string, params: object): void {
    this.#send({ method }, 'params', params)
  }

  /** @throws {@link EasyNetError} `invalid_value`, `too_large` when `result` cannot be sent */
  reply(id: MessageId, result: object): void {
    this.#send({ id }, 'result', result)
  }

  replyError(id: MessageId, error: ErrorData): void {
    this.#write({ id, error: { code: APPLICATION_ERROR, message: error.message, data: error } }, [])
  }

  /** Sends what waits and ends the connection. Resolves when the socket is closed. */
  async close(): Promise<void> {
    if (this.#lost !== undefined) return
    this.#lost = new EasyNetError('cancelled', 'The connection to the daemon was closed.')
    this.#flush()
    this.#finish(this.#lost)
    await new Promise<void>((resolve) => {
      if (this.#socket.destroyed) return resolve()
      this.#socket.once('close', () => resolve())
      this.#socket.end(() => this.#socket.destroy())
    })
  }

  #send(head: Message, key: 'params' | 'result', value: object): void {
    const { json, blobs } = encodeMembers(value)
    this.#write({ ...head, [key]: json }, blobs)
  }

  #write(message: Message, blobs: readonly Uint8Array[]): void {
    if (this.#lost !== undefined) return
    // All messages of one turn of the event loop leave in one write.
    if (this.#outbox.length === 0) setImmediate(() => this.#flush())
    this.#outbox.push(...encodeFrame({ jsonrpc: '2.0', ...message } as Message, blobs))
  }

  #flush(): void {
    const parts = this.#outbox
    this.#outbox = []
    if (parts.length === 0 || this.#socket.destroyed) return
    this.#lastSentAt = performance.now()
    this.#socket.cork()
    for (const part of joinParts(parts)) this.#socket.write(part)
    this.#socket.uncork()
  }

  #receive(chunk: Uint8Array): void {
    this.#lastHeardAt = performance.now()
    try {
      for (const frame of this.#reader.push(chunk)) this.#dispatch(frame)
    } catch (error) {
      this.#end(EasyNetError.from(error, 'protocol_violation'))
    }
  }

  #dispatch({ message, blobs }: Frame): void {
    const { id, method } = message
    if (method === undefined) return this.#settle(message, blobs)
    const params = decodeMembers(message.params ?? {}, blobs)
    if (id !== undefined) return this.#handlers.request(id, method, params)
    if (method === 'heartbeat') return
    if (method === 'error') throw EasyNetError.fromData(params)
    const note = this.#pending.get(params['call'] as MessageId)?.note
    if (note !== undefined && isForCaller(method, params)) note(method, params)
    else this.#handlers.notification(method, params)
  }

  #settle(message: Message, blobs: readonly Uint8Array[]): void {
    const pending = message.id === undefined ? undefined : this.#pending.get(message.id)
    if (pending === undefined || message.id === undefined) return
    this.forget(message.id)
    if (message.error !== undefined) {
      pending.reject(EasyNetError.fromData(message.error.data ?? { message: message.error.message }))
      return
    }
    try {
      pending.resolve(decodeMembers(message.result ?? {}, blobs))
    } catch (error) {
      pending.reject(EasyNetError.from(error))
    }
  }

  #beat(): void {
    const now = performance.now()
    if (now - this.#lastHeardAt > SILENCE_MS) {
      this.#end(brokenOff(new Error(`nothing was heard for ${SILENCE_MS / 1000} s`)))
    } else if (now - this.#lastSentAt > HEARTBEAT_MS - HEARTBEAT_MS / 3) {
      this.#write({ method: 'heartbeat', params: {} }, [])
    }
  }

  #end(error: EasyNetError): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    this.#socket.destroy()
    this.#finish(error)
  }

  #finish(error: EasyNetError): void {
    clearInterval(this.#heartbeat)
    for (const pending of this.#pending.values()) pending.reject(error)
    this.#pending.clear()
    this.#handlers.lost(error)
  }

  #updateRef(): void {
    if (this.#keepAlive || this.#pending.size > 0) this.#socket.ref()
    else this.#socket.unref()
  }
}

/** Both directions number their requests alone: what a note is about follows from its method. */
function isForCaller(method: string, params: Record<string, unknown>): boolean {
  return method === 'ack' ? params['of'] === 'input' : !['cancel', 'input', 'inputEnd'].includes(method)
}

function brokenOff(cause?: Error): EasyNetError {
  const why = cause === undefined ? 'it was closed' : ((cause as NodeJS.ErrnoException).code ?? cause.message)
  return new EasyNetError('daemon_unreachable', `The connection to the daemon broke off: ${why}.`, {
    hint: 'easynet status',
    cause,
  })
}
