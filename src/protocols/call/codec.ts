import { EasyNetError } from '../../errors/error.ts'
import type { Reason } from '../../errors/reasons.ts'
import type { CallQuestion, LogEntry } from '../../model/call.ts'
import { FUNCTION_NAME } from '../../model/function.ts'
import { parseTraceparent } from '../../model/trace.ts'
import { attachBlobs, detachBlobs, MAX_VALUE_BYTES, type Value } from '../../model/value.ts'
import { CborWriter, readCborValue } from '../../util/cbor-values.ts'
import { checkCborBounds, createCborCodec, MAX_CBOR_ITEMS } from '../../util/cbor.ts'
import { MAX_BLOBS, MAX_FRAME_BYTES, MAX_SHARED_RESULT_BYTES, MAX_TEXT_CHARS } from './constants.ts'
import { readWithBlobs, writeValue } from './values.ts'

// Payloads of frames: CBOR arrays with fixed places, since every byte and key counts in a small call.

/** For small messages around the calls. */
const plainCbor = createCborCodec()

export interface CallHeader {
  /** UUID; with the caller's peer id it names the call for ever. */
  id: string
  fn: string
  /** Milliseconds until the deadline, when sent. */
  timeoutMs: number
  /** True when input values follow. */
  input: boolean
  args: Value[]
  kwargs: Record<string, Value>
  /** Absent: the one that is made of the id. */
  traceparent?: string | undefined
}

/** A value on its way: CBOR with blobs taken out, and the blobs. */
export interface EncodedValue {
  payload: Uint8Array
  blobs: readonly Uint8Array[]
  /** Bytes of payload and blobs together. */
  bytes: number
}

/** A value that has arrived, whose blobs may still be missing. */
export interface PartialValue<T> {
  skeleton: T
  blobBytes: readonly number[]
}

export interface EndInfo {
  /** Values sent before. */
  items: number
  /** Payload bytes of VALUE, RESULT and BLOB frames. */
  bytes: number
}

export type AskState = 'running' | 'interrupted' | 'never' | 'forgotten'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function encodeCall(header: CallHeader): EncodedValue {
  const { traceparent } = header
  const writer = new CborWriter()
  const blobs: Uint8Array[] = []
  writer.array(traceparent === undefined ? 6 : 7)
  writer.text(header.id)
  writer.text(header.fn)
  writer.uint(Math.ceil(header.timeoutMs))
  writer.boolean(header.input)
  writer.array(2)
  writeValue(writer, header.args, blobs, 1)
  writeValue(writer, header.kwargs, blobs, 1)
  writeLengths(writer, blobs)
  if (traceparent !== undefined) writer.text(traceparent)
  return measured(writer.end(), blobs)
}

function writeLengths(writer: CborWriter, blobs: readonly Uint8Array[]): void {
  writer.array(blobs.length)
  for (const blob of blobs) writer.uint(blob.length)
}

export function decodeCall(payload: Uint8Array): PartialValue<CallHeader> {
  return callOf(fieldsOf(readWithBlobs(payload), 6))
}

/** A call on the shared stream, where there are no blobs. @throws `protocol_violation` when it has some */
export function decodeSmallCall(payload: Uint8Array): CallHeader {
  const { skeleton, blobBytes } = callOf(fieldsOf(readCborValue(payload), 6))
  if (blobBytes.length > 0) throw violation('call')
  return skeleton
}

function callOf(fields: unknown[]): PartialValue<CallHeader> {
  const [id, fn, timeoutMs, input, values, blobBytes, trace] = fields
  if (typeof id !== 'string' || !UUID.test(id)) throw violation('call id')
  if (typeof fn !== 'string' || !FUNCTION_NAME.test(fn)) throw violation('function name')
  if (!isCount(timeoutMs) || typeof input !== 'boolean' || !Array.isArray(values)) throw violation('call')
  const [args, kwargs] = values as unknown[]
  if (!Array.isArray(args) || !isRecord(kwargs)) throw violation('arguments')
  const given = { args: args as Value[], kwargs: kwargs as Record<string, Value> }
  const header = { id, fn, timeoutMs, input, ...given, traceparent: parseTraceparent(trace) }
  return { skeleton: header, blobBytes: checkLengths(blobBytes) }
}

export function attachCallBlobs(header: CallHeader, blobs: readonly Uint8Array[]): CallHeader {
  const [args, kwargs] = attachBlobs([header.args, header.kwargs], blobs) as [Value[], Record<string, Value>]
  return { ...header, args, kwargs }
}

export function encodeValue(value: Value): EncodedValue {
  const writer = new CborWriter()
  const blobs: Uint8Array[] = []
  writer.array(2)
  writeValue(writer, value, blobs)
  writeLengths(writer, blobs)
  return measured(writer.end(), blobs)
}

export function decodeValue(payload: Uint8Array, maxBytes: number = MAX_VALUE_BYTES): PartialValue<unknown> {
  const [skeleton, blobBytes] = fieldsOf(readWithBlobs(payload), 2)
  return { skeleton, blobBytes: checkLengths(blobBytes, maxBytes) }
}

/** A value on the shared stream, where there are no blobs. @throws `protocol_violation` when it has some */
export function decodeSmallValue(payload: Uint8Array): Value {
  const [value, blobBytes] = fieldsOf(readCborValue(payload), 2)
  if (checkLengths(blobBytes).length > 0) throw violation('value')
  return value as Value
}

export function encodeEnd(end: EndInfo): Uint8Array {
  return plainCbor.encode([end.items, end.bytes])
}

export function decodeEnd(payload: Uint8Array): EndInfo {
  const [items, bytes] = decodeArray(payload, 2)
  if (!isCount(items) || !isCount(bytes)) throw violation('end')
  return { items, bytes }
}

/** Details that would make the frame too long are left out. */
export function encodeError(error: EasyNetError): Uint8Array {
  const { details, ...data } = error.toJSON()
  const refused = error.notStarted ? { notStarted: true } : {}
  const short = { ...data, ...refused, message: data.message.slice(0, MAX_TEXT_CHARS) }
  if (details !== undefined) {
    try {
      const encoded = plainCbor.encode(detachBlobs({ ...short, details }, Infinity).skeleton)
      if (encoded.length <= MAX_SHARED_RESULT_BYTES) return encoded
    } catch {
      // Details that cannot travel must not hide the error.
    }
  }
  return plainCbor.encode(short)
}

/** Others are about this device: a stranger must not make a program believe that its token is wrong. */
const REASONS_OF_PROVIDERS: ReadonlySet<Reason> = new Set<Reason>([
  'invalid_request',
  'invalid_value',
  'too_large',
  'unknown_function',
  'queue_full',
  'too_many_calls',
  'draining',
  'duplicate_call',
  'storage_failed',
  'function_error',
  'deadline_exceeded',
  'cancelled',
  'interrupted',
  'outcome_unknown',
  'protocol_violation',
  'incomplete',
  'internal',
])

/** Without advice: what to try is for this device to say, a stranger's command line does harm. */
export function decodeError(payload: Uint8Array): EasyNetError {
  const data = plainCbor.decode(payload)
  const { reason, message, retryable, details } = EasyNetError.fromData(data)
  const { why: _, ...facts } = details ?? {}
  const notStarted = isRecord(data) && data['notStarted'] === true
  if (!REASONS_OF_PROVIDERS.has(reason)) {
    const claim = `The provider ended the call with "${reason}", which is not for a provider to say.`
    return new EasyNetError('protocol_violation', claim, { notStarted })
  }
  return new EasyNetError(reason, message, {
    retryable,
    notStarted,
    ...(details === undefined ? {} : { details: facts }),
  })
}

/** @throws `too_large` */
export function encodeProgress(value: Value): Uint8Array {
  const encoded = plainCbor.encode(detachBlobs(value, Infinity).skeleton)
  if (encoded.length <= MAX_SHARED_RESULT_BYTES) return encoded
  throw new EasyNetError('too_large', `A progress report has ${encoded.length} bytes.`, {
    details: { limitBytes: MAX_SHARED_RESULT_BYTES },
  })
}

export function decodeProgress(payload: Uint8Array): Value {
  return plainCbor.decode(payload) as Value
}

const LOG_LEVELS: readonly LogEntry['level'][] = ['debug', 'info', 'warn', 'error']

export function encodeLog(entry: LogEntry): Uint8Array {
  return plainCbor.encode([LOG_LEVELS.indexOf(entry.level), entry.message.slice(0, MAX_TEXT_CHARS)])
}

export function decodeLog(payload: Uint8Array): LogEntry {
  const [level, message] = decodeArray(payload, 2)
  if (!isCount(level) || typeof message !== 'string') throw violation('log line')
  return { level: LOG_LEVELS[level] ?? 'info', message: message.slice(0, MAX_TEXT_CHARS) }
}

const CANCEL_REASONS = ['cancelled', 'deadline_exceeded'] as const

export function encodeCancel(reason: string): Uint8Array {
  return plainCbor.encode([reason === 'deadline_exceeded' ? 1 : 0])
}

export function decodeCancel(payload: Uint8Array): (typeof CANCEL_REASONS)[number] {
  const [reason] = decodeArray(payload, 1)
  return reason === 1 ? 'deadline_exceeded' : 'cancelled'
}

export interface Ask extends CallQuestion {
  /** How long to wait for a call that still runs. */
  waitMs: number
}

export function encodeAsk({ id, waitMs, ageMs, once }: Ask): Uint8Array {
  return plainCbor.encode([id, Math.ceil(waitMs), Math.ceil(ageMs), once])
}

export function decodeAsk(payload: Uint8Array): Ask {
  const [id, waitMs, ageMs, once] = decodeArray(payload, 4)
  if (typeof id !== 'string' || !UUID.test(id) || !isCount(waitMs)) throw violation('question')
  if (!isCount(ageMs) || typeof once !== 'boolean') throw violation('question')
  return { id, waitMs, ageMs, once }
}

const ASK_STATES: readonly AskState[] = ['running', 'interrupted', 'never', 'forgotten']

export function encodeVerdict(state: AskState): Uint8Array {
  return plainCbor.encode([ASK_STATES.indexOf(state)])
}

export function decodeVerdict(payload: Uint8Array): AskState {
  const [state] = decodeArray(payload, 1)
  const known = isCount(state) ? ASK_STATES[state] : undefined
  if (known === undefined) throw violation('verdict')
  return known
}

function measured(payload: Uint8Array, blobs: readonly Uint8Array[]): EncodedValue {
  let bytes = payload.length
  for (const blob of blobs) bytes += blob.length
  if (bytes > MAX_VALUE_BYTES) {
    throw new EasyNetError('too_large', `The value has ${bytes} bytes; ${MAX_VALUE_BYTES} are allowed.`, {
      hint: 'Send it in parts, as a stream.',
    })
  }
  checkReadable(payload, blobs.length)
  return { payload, blobs, bytes }
}

/** What the other side would refuse is refused here, where the program learns why. */
function checkReadable(payload: Uint8Array, blobs: number): void {
  if (payload.length > MAX_FRAME_BYTES) {
    throw new EasyNetError('too_large', `The value has ${payload.length} bytes beside its byte strings.`, {
      details: { limitBytes: MAX_FRAME_BYTES },
      hint: 'Send long texts and lists of numbers as bytes, or in parts, as a stream.',
    })
  }
  if (blobs > MAX_BLOBS) {
    throw new EasyNetError('too_large', `The value has ${blobs} long byte strings; ${MAX_BLOBS} are allowed.`)
  }
  // Every item takes a byte at least.
  if (payload.length <= MAX_CBOR_ITEMS) return
  try {
    checkCborBounds(payload)
  } catch (cause) {
    throw new EasyNetError('too_large', `The value has more than ${MAX_CBOR_ITEMS} items.`, {
      cause,
      hint: 'Send long lists of numbers as bytes, or in parts, as a stream.',
    })
  }
}

/** Checked before a byte is allocated for them. */
function checkLengths(value: unknown, maxBytes: number = MAX_VALUE_BYTES): readonly number[] {
  if (!Array.isArray(value) || value.length > MAX_BLOBS || !value.every(isCount))
    throw violation('list of blobs')
  let total = 0
  for (const length of value) total += length
  if (total > maxBytes) {
    throw new EasyNetError('too_large', `${total} bytes were announced; ${maxBytes} are allowed.`)
  }
  return value
}

function decodeArray(payload: Uint8Array, length: number): unknown[] {
  return fieldsOf(plainCbor.decode(payload), length)
}

function fieldsOf(message: unknown, length: number): unknown[] {
  // More fields than we know are left for newer versions.
  if (!Array.isArray(message) || message.length < length) throw violation('message')
  return message as unknown[]
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

function violation(what: string): EasyNetError {
  return new EasyNetError('protocol_violation', `The other device sent a malformed ${what}.`)
}
