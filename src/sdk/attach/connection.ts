import type { Socket } from 'node:net'
import { EasyNetError, type ErrorData } from '../../errors/error.ts'
import { HEARTBEAT_MS, SILENCE_MS } from '../../model/attach.ts'
import { type Json, messageText, NO_BLOBS } from '../../model/attach-message.ts'
import { createRawSplitter } from '../../model/attach-splitter.ts'
import { allocateBytes } from '../../util/bytes.ts'
import { createTurnWriter, type TurnWriter } from '../../util/turn-writer.ts'
import type { OpenSocket } from './open-socket.ts'
import type { MessageId } from './protocol.ts'
import { decodeMembers, encodeMembers } from './value-members.ts'

const APPLICATION_ERROR = -32_000

/** What the owner of a connection does with what the daemon sends on its own account. */
export interface AttachHandlers {
  /** A request of the daemon; answer it with `reply` or `replyError`. */
  request(id: MessageId, method: string, params: Json): void
  /** A notification that belongs to a request of the daemon. */
  notification(method: string, params: Json): void
  /** Called once, when the connection is gone: broken off, or closed by `close()`. */
  lost(error: EasyNetError): void
}

/** Who waits for the answer to a request of ours. One of `answered` and `failed` is called, once. */
export interface Exchange {
  answered(result: unknown): void
  /** With the daemon's error, or with `lost` of the connection when that ends. */
  failed(error: EasyNetError): void
  /** Gets the notifications that belong to the request. */
  noted?(method: string, params: Json): void
}

/** JSON-RPC 2.0 in both directions over one upgraded socket; see docs/spec/attach.md. */
export class AttachConnection {
  readonly #socket: Socket
  readonly #handlers: AttachHandlers
  readonly #writer: TurnWriter
  readonly #pending = new Map<MessageId, Exchange>()
  readonly #heartbeat: NodeJS.Timeout
  #nextId = 1
  #lastSentAt = performance.now()
  #lastHeardAt = performance.now()
  #keepAlive = false
  #lost: EasyNetError | undefined

  constructor(open: OpenSocket, handlers: AttachHandlers) {
    this.#socket = open.socket
    this.#handlers = handlers
    this.#writer = createTurnWriter(open.socket)
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS / 3).unref()
    // Put back, so that nothing is handled before the caller holds this object.
    if (open.head.length > 0) this.#socket.unshift(open.head)
    // Bytes get memory of their own: programs look at the `buffer` of what they are given.
    const split = createRawSplitter((message, blobs) => this.#dispatch(message, blobs), {
      allocate: allocateBytes,
    })
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk, split))
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

  /** Sends a request; rejects with the daemon's error, or with `lost` when the connection ends. */
  async request(method: string, params: object): Promise<unknown> {
    return new Promise((answered, failed) => void this.begin(method, params, { answered, failed }))
  }

  /**
   * Sends a request and returns its id.
   *
   * @throws {@link EasyNetError} `lost`; `invalid_value`, `too_large` when `params` cannot be sent
   */
  begin(method: string, params: object, exchange: Exchange): MessageId {
    if (this.#lost !== undefined) throw this.#lost
    const id = this.#nextId++
    const blobs: Uint8Array[] = []
    this.#write({ jsonrpc: '2.0', id, method, params: encodeMembers(params, blobs) }, blobs)
    this.#pending.set(id, exchange)
    if (this.#pending.size === 1) this.#updateRef()
    return id
  }

  /** Drops a request whose answer nobody waits for any more. */
  forget(id: MessageId): void {
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#updateRef()
  }

  /** @throws {@link EasyNetError} `invalid_value`, `too_large` when `params` cannot be sent */
  notify(method: string, params: object): void {
    const blobs: Uint8Array[] = []
    this.#write({ jsonrpc: '2.0', method, params: encodeMembers(params, blobs) }, blobs)
  }

  /** @throws {@link EasyNetError} `invalid_value`, `too_large` when `result` cannot be sent */
  reply(id: MessageId, result: object): void {
    const blobs: Uint8Array[] = []
    this.#write({ jsonrpc: '2.0', id, result: encodeMembers(result, blobs) }, blobs)
  }

  replyError(id: MessageId, error: ErrorData): void {
    const rpcError = { code: APPLICATION_ERROR, message: error.message, data: error }
    this.#write({ jsonrpc: '2.0', id, error: rpcError }, NO_BLOBS)
  }

  /** Sends what waits and ends the connection. Resolves when the socket is closed. */
  async close(): Promise<void> {
    if (this.#lost !== undefined) return
    this.#lost = new EasyNetError('cancelled', 'The connection to the daemon was closed.')
    this.#writer.flush()
    this.#finish(this.#lost)
    await new Promise<void>((resolve) => {
      if (this.#socket.destroyed) return resolve()
      this.#socket.once('close', () => resolve())
      this.#socket.end(() => this.#socket.destroy())
    })
  }

  #write(message: Json, blobs: readonly Uint8Array[]): void {
    if (this.#lost !== undefined) return
    this.#writer.write(`${messageText(message, blobs)}\n`, blobs)
    this.#lastSentAt = performance.now()
  }

  #receive(chunk: Buffer, split: (chunk: Buffer) => void): void {
    this.#lastHeardAt = performance.now()
    try {
      split(chunk)
    } catch (error) {
      this.#end(EasyNetError.from(error, 'protocol_violation'))
    }
  }

  #dispatch(message: Json, blobs: readonly Uint8Array[]): void {
    const { method } = message
    const id = message['id'] as MessageId | undefined
    if (typeof method !== 'string') return this.#settle(id, message, blobs)
    const params = decodeMembers(message['params'] ?? {}, blobs)
    if (id !== undefined) return this.#handlers.request(id, method, params)
    if (method === 'heartbeat') return
    if (method === 'error') throw EasyNetError.fromData(params)
    const exchange = this.#pending.get(params['call'] as MessageId)
    if (exchange?.noted !== undefined && isForCaller(method, params)) exchange.noted(method, params)
    else this.#handlers.notification(method, params)
  }

  #settle(id: MessageId | undefined, message: Json, blobs: readonly Uint8Array[]): void {
    const exchange = id === undefined ? undefined : this.#pending.get(id)
    if (exchange === undefined || id === undefined) return
    this.forget(id)
    const error = message['error'] as { message?: unknown; data?: unknown } | undefined
    if (error !== undefined) return exchange.failed(EasyNetError.fromData(error.data ?? error))
    let result: unknown
    try {
      result = decodeMembers(message['result'] ?? {}, blobs)
    } catch (thrown) {
      return exchange.failed(EasyNetError.from(thrown))
    }
    exchange.answered(result)
  }

  #beat(): void {
    const now = performance.now()
    if (now - this.#lastHeardAt > SILENCE_MS) {
      this.#end(brokenOff(new Error(`nothing was heard for ${SILENCE_MS / 1000} s`)))
    } else if (now - this.#lastSentAt > HEARTBEAT_MS - HEARTBEAT_MS / 3) {
      this.#write({ jsonrpc: '2.0', method: 'heartbeat', params: {} }, NO_BLOBS)
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
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const exchange of pending) exchange.failed(error)
    this.#handlers.lost(error)
  }

  #updateRef(): void {
    if (this.#keepAlive || this.#pending.size > 0) this.#socket.ref()
    else this.#socket.unref()
  }
}

/** Both directions number their requests alone: what a note is about follows from its method. */
function isForCaller(method: string, params: Json): boolean {
  return method === 'ack' ? params['of'] === 'input' : !['cancel', 'input', 'inputEnd'].includes(method)
}

function brokenOff(cause?: Error): EasyNetError {
  const why = cause === undefined ? 'it was closed' : ((cause as NodeJS.ErrnoException).code ?? cause.message)
  return new EasyNetError('daemon_unreachable', `The connection to the daemon broke off: ${why}.`, {
    hint: 'easynet status',
    cause,
  })
}
