import {
  announcedLengths,
  type Json,
  type MessageListener,
  NO_BLOBS,
  parseMessage,
  tooLarge,
} from './attach-message.ts'
import { MAX_LINE_BYTES } from './attach.ts'

const NEWLINE = 10
const FIRST_CAPACITY = 64 * 1024
const EMPTY = Buffer.alloc(0)

const pooled = (length: number): Uint8Array => Buffer.allocUnsafe(length)

export interface SplitterInit {
  /** Memory for one blob. @default a part of Node's pool, when it is small */
  allocate?: (length: number) => Uint8Array
  /** @default `MAX_LINE_BYTES` */
  maxLineBytes?: number
}

/**
 * Splits a byte stream into messages: a line of JSON, then the bytes that it announces. Feed it whatever
 * a socket delivers. Each byte of a line is looked at once, each byte of a blob is copied once.
 *
 * @returns a function that throws `protocol_violation` or `too_large`; it must not be fed after that
 */
export function createRawSplitter(
  onMessage: MessageListener,
  { allocate = pooled, maxLineBytes = MAX_LINE_BYTES }: SplitterInit = {},
): (data: Buffer) => void {
  // The start of a line whose end has not come yet.
  let partial = EMPTY
  let partialLength = 0
  // The message whose blobs are on their way.
  let json: Json | undefined
  let blobs: Uint8Array[] = []
  let lengths: readonly number[] = []
  let current: Uint8Array = EMPTY
  let filled = 0

  const checkLine = (length: number): void => {
    if (length > maxLineBytes) throw tooLarge('bytes in a line', length, maxLineBytes)
  }
  const keep = (data: Buffer, from: number, to: number): void => {
    const needed = partialLength + (to - from)
    if (needed > partial.length) {
      const grown = Buffer.allocUnsafe(Math.max(FIRST_CAPACITY, needed, partial.length * 2))
      partial.copy(grown, 0, 0, partialLength)
      partial = grown
    }
    data.copy(partial, partialLength, from, to)
    partialLength = needed
  }
  const takeLine = (data: Buffer, from: number, to: number): string => {
    if (partialLength === 0) return data.toString('utf8', from, to)
    keep(data, from, to)
    const line = partial.toString('utf8', 0, partialLength)
    partialLength = 0
    if (partial.length > FIRST_CAPACITY) partial = EMPTY
    return line
  }
  const nextBlob = (): void => {
    current = allocate(lengths[blobs.length] ?? 0)
    filled = 0
  }
  const finishBlobs = (): void => {
    // Empty blobs need no bytes to be complete.
    while (json !== undefined && filled === current.length) {
      blobs.push(current)
      if (blobs.length < lengths.length) {
        nextBlob()
        continue
      }
      const [message, complete] = [json, blobs]
      json = undefined
      blobs = []
      current = EMPTY
      onMessage(message, complete)
    }
  }
  const onLine = (text: string): void => {
    if (text === '' || text === '\r') return
    const message = parseMessage(text)
    lengths = announcedLengths(message)
    if (lengths.length === 0) {
      onMessage(message, NO_BLOBS)
      return
    }
    json = message
    nextBlob()
    finishBlobs()
  }

  return (data) => {
    let at = 0
    while (at < data.length) {
      if (json !== undefined) {
        const copied = data.copy(current, filled, at)
        filled += copied
        at += copied
        finishBlobs()
        continue
      }
      const end = data.indexOf(NEWLINE, at)
      const to = end === -1 ? data.length : end
      checkLine(partialLength + (to - at))
      if (end === -1) {
        keep(data, at, to)
        return
      }
      const line = takeLine(data, at, to)
      at = end + 1
      onLine(line)
    }
  }
}
