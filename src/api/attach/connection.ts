import { EasyNetError } from '../../errors/error.ts'
import type { Reason } from '../../errors/reasons.ts'
import { fromFramedJson, toFramedJson } from '../../model/json.ts'
import type { Value } from '../../model/value.ts'
import { errorData, publicError } from '../errors.ts'
import { type Json, NO_BLOBS } from '../../model/attach-message.ts'
import type { Transport } from './transport.ts'

/** Names a request of the program. */
export type RequestId = string | number

/** Params of a message, and the bytes that its values point to. */
export interface Params {
  json: Json
  blobs: readonly Uint8Array[]
}

/** What the owner of a connection does with messages of the program. */
export interface RpcEvents {
  /** Must end in `reply` or `fail` with the same id. */
  request(id: RequestId, method: string, params: Params): void
  notification(method: string, params: Params): void
}

/** Who waits for the answer to a request of ours; one of the two is called, unless the connection ends before. */
export interface RpcListener {
  answered(result: Params): void
  failed(error: EasyNetError): void
}

/** JSON-RPC 2.0 over whole messages, both ways; each side has its own ids. */
export interface RpcConnection {
  /** Takes one message from the transport. @throws `protocol_violation` */
  receive(json: Json, blobs: readonly Uint8Array[]): void
  /** Sends a request and returns its id. */
  request(method: string, params: Json, blobs: readonly Uint8Array[], listener?: RpcListener): number
  notify(method: string, params: Json, blobs?: readonly Uint8Array[]): void
  /** As `notify`, for what is in no hurry. */
  notifyLater(method: string, params: Json): void
  reply(id: RequestId, result: Json, blobs?: readonly Uint8Array[]): void
  fail(id: RequestId | null, thrown: unknown): void
}

const MAX_ID_LENGTH = 256
/** Codes of https://www.jsonrpc.org/specification for the reasons that have one. */
const RPC_CODES: Partial<Record<Reason, number>> = {
  protocol_violation: -32600,
  not_implemented: -32601,
  invalid_request: -32602,
  internal: -32603,
}
const SERVER_ERROR = -32000

export function createRpcConnection(transport: Transport, events: RpcEvents): RpcConnection {
  const waiting = new Map<number, RpcListener>()
  let lastId = 0

  const receiveAnswer = (id: unknown, json: Json, blobs: readonly Uint8Array[]): void => {
    const listener = waiting.get(id as number)
    if (listener === undefined) return
    waiting.delete(id as number)
    if (json['error'] !== undefined) listener.failed(errorOf(json['error']))
    else listener.answered({ json: asObject(json['result']), blobs })
  }

  const connection: RpcConnection = {
    receive(json, blobs) {
      const { method, id } = json
      if (typeof method !== 'string') {
        if (id === undefined)
          throw new EasyNetError('protocol_violation', 'A message has no method and no id.')
        receiveAnswer(id, json, blobs)
        return
      }
      const params = { json: asObject(json['params']), blobs }
      if (id === undefined) events.notification(method, params)
      else if (isRequestId(id)) events.request(id, method, params)
      else
        connection.fail(null, new EasyNetError('protocol_violation', 'An id is a number or a short string.'))
    },
    request(method, params, blobs, listener) {
      lastId += 1
      transport.send({ id: lastId, method, params }, blobs)
      if (listener !== undefined) waiting.set(lastId, listener)
      return lastId
    },
    notify(method, params, blobs = NO_BLOBS) {
      transport.send({ method, params }, blobs)
    },
    notifyLater(method, params) {
      transport.sendLater({ method, params })
    },
    reply(id, result, blobs = NO_BLOBS) {
      transport.send({ id, result }, blobs)
    },
    fail(id, thrown) {
      transport.send({ id, error: rpcError(publicError(thrown)) }, NO_BLOBS)
    },
  }
  return connection
}

/** `value` in the form of this connection. @throws `invalid_value` */
export function encodeValue(value: unknown): { json: unknown; blobs: readonly Uint8Array[] } {
  const blobs: Uint8Array[] = []
  return { json: toFramedJson(value, blobs), blobs }
}

/** The value that `json` stands for. @throws `invalid_value` */
export function decodeValue(json: unknown, blobs: readonly Uint8Array[]): Value {
  return fromFramedJson(json ?? null, blobs)
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'number' || (typeof id === 'string' && id.length <= MAX_ID_LENGTH)
}

function asObject(params: unknown): Json {
  if (typeof params === 'object' && params !== null && !Array.isArray(params)) return params as Json
  return {}
}

function rpcError(error: EasyNetError): Json {
  return { code: RPC_CODES[error.reason] ?? SERVER_ERROR, message: error.message, data: errorData(error) }
}

/** What a program may say of its function; any other reason is that of something which the function did. */
const PROGRAM_REASONS: readonly Reason[] = [
  'function_error',
  'invalid_request',
  'invalid_value',
  'too_large',
  'cancelled',
  'deadline_exceeded',
]

function ownError(error: EasyNetError): EasyNetError {
  if (PROGRAM_REASONS.includes(error.reason)) return error
  const details = { name: 'EasyNetError', ...error.details, reason: error.reason }
  return new EasyNetError('function_error', error.message, { details })
}

function errorOf(json: unknown): EasyNetError {
  const { data, message } = asObject(json)
  if (typeof data === 'object' && data !== null) return ownError(EasyNetError.fromData(data))
  // A program whose library knows nothing of our data: its function failed, that much is sure.
  const text = typeof message === 'string' ? message.slice(0, 2_000) : 'The function failed.'
  return new EasyNetError('function_error', text)
}
