import { randomUUID } from 'node:crypto'
import { encodeCall, encodeValue } from '../../../src/protocols/call/codec.ts'
import { type FrameType, frameHeader, FrameSplitter, type Frame } from '../../../src/protocols/call/frames.ts'
import type { Value } from '../../../src/model/value.ts'

/** One frame with any payload. */
export function frame(type: number, call: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  return Buffer.concat([frameHeader(type as FrameType, call, payload.length), payload])
}

/** A header alone that claims a payload. */
export function header(type: number, call: number, claimedBytes: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt32BE(claimedBytes, 0)
  bytes[4] = type
  bytes.writeUInt32BE(call, 5)
  return bytes
}

export function callPayload(
  fn: string,
  args: Value[],
  more: { id?: string; input?: boolean } = {},
): Uint8Array {
  const { id = randomUUID(), input = false } = more
  return encodeCall({ id, fn, timeoutMs: 60_000, input, args, kwargs: {} }).payload
}

export function valuePayload(value: Value): Uint8Array {
  return encodeValue(value).payload
}

export function framesIn(bytes: Uint8Array): Frame[] {
  const splitter = new FrameSplitter()
  splitter.push(bytes)
  const found: Frame[] = []
  for (let next = splitter.next(); next !== undefined; next = splitter.next()) found.push(next)
  return found
}
