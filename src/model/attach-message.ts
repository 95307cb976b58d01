import { EasyNetError } from '../errors/error.ts'
import { MAX_BLOBS, MAX_ITEM_BYTES, MAX_LINE_BYTES, MAX_MESSAGE_BLOB_BYTES } from './attach.ts'

// Messages of docs/spec/attach.md as both ends of the app connection read and write them.

/** A JSON object of the protocol. */
export type Json = Record<string, unknown>

/** Gets each message: the object, and the bytes that came beside it. */
export type MessageListener = (json: Json, blobs: readonly Uint8Array[]) => void

export const NO_BLOBS: readonly Uint8Array[] = []
const NO_LENGTHS: readonly number[] = []

/** One line or text message as an object. @throws `protocol_violation` */
export function parseMessage(text: string): Json {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new EasyNetError('protocol_violation', 'A message is not valid JSON.', { cause })
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Json
  throw new EasyNetError('protocol_violation', 'A message has to be one JSON object.')
}

/**
 * The lengths of the blobs that follow `json`; checked before anything is allocated for them.
 *
 * @throws `protocol_violation`, `too_large`
 */
export function announcedLengths(json: Json): readonly number[] {
  const bin = json['bin']
  if (bin === undefined) return NO_LENGTHS
  if (!Array.isArray(bin)) throw new EasyNetError('protocol_violation', '"bin" has to be a list of lengths.')
  if (bin.length > MAX_BLOBS) throw tooLarge('blobs', bin.length, MAX_BLOBS)
  let sum = 0
  for (const length of bin as unknown[]) {
    if (!Number.isSafeInteger(length) || (length as number) < 0) {
      throw new EasyNetError('protocol_violation', '"bin" has to be a list of lengths.')
    }
    sum += length as number
  }
  const isItem = json['method'] === 'chunk' || json['method'] === 'input'
  const most = isItem ? MAX_ITEM_BYTES : MAX_MESSAGE_BLOB_BYTES
  if (sum > most) throw tooLarge('bytes beside a message', sum, most)
  return bin as number[]
}

/**
 * The text of a message. Announces its blobs in it: `json` gets a member `bin`.
 *
 * @throws `too_large` when the other side would have to refuse it
 */
export function messageText(json: Json, blobs: readonly Uint8Array[]): string {
  if (blobs.length === 0) return checkedText(JSON.stringify(json))
  if (blobs.length > MAX_BLOBS) throw tooLarge('blobs', blobs.length, MAX_BLOBS)
  const lengths: number[] = []
  let sum = 0
  for (const { length } of blobs) {
    lengths.push(length)
    sum += length
  }
  if (sum > MAX_MESSAGE_BLOB_BYTES) throw tooLarge('bytes beside a message', sum, MAX_MESSAGE_BLOB_BYTES)
  json['bin'] = lengths
  return checkedText(JSON.stringify(json))
}

function checkedText(text: string): string {
  // UTF-8 needs at most 3 bytes for each unit of a string.
  if (text.length * 3 <= MAX_LINE_BYTES) return text
  const length = Buffer.byteLength(text)
  if (length > MAX_LINE_BYTES) throw tooLarge('bytes in a message', length, MAX_LINE_BYTES)
  return text
}

/** The error for a message beyond a limit of the protocol. */
export function tooLarge(what: string, given: number, most: number): EasyNetError {
  return new EasyNetError('too_large', `${given} ${what}; at most ${most} are allowed.`, {
    hint: 'Send it in parts: a function with clientStream reads a stream of inputs.',
    details: { limit: most },
  })
}
