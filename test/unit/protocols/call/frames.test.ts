import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EasyNetError } from '../../../../src/errors/error.ts'
import {
  FRAME_HEADER_BYTES,
  MAX_BLOB_FRAME_BYTES,
  MAX_FRAME_BYTES,
} from '../../../../src/protocols/call/constants.ts'
import { type Frame, frameHeader, FrameSplitter, FrameType } from '../../../../src/protocols/call/frames.ts'

const frame: fc.Arbitrary<Frame> = fc.record({
  type: fc.constantFrom(...Object.values(FrameType)),
  call: fc.integer({ min: 0, max: 0xffff_ffff }),
  payload: fc.uint8Array({ maxLength: 60 }),
})

function encode(frames: readonly Frame[]): Uint8Array {
  const parts = frames.flatMap(({ type, call, payload }) => [
    frameHeader(type as FrameType, call, payload.length),
    payload,
  ])
  return Buffer.concat(parts)
}

function feed(parts: readonly Uint8Array[]): Frame[] {
  const splitter = new FrameSplitter()
  const got: Frame[] = []
  for (const part of parts) {
    splitter.push(part)
    for (let next = splitter.next(); next !== undefined; next = splitter.next()) got.push(next)
  }
  return got
}

function cut(whole: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => whole.subarray(from, at[index] ?? whole.length))
}

/** BLOB payloads come in parts; what counts is the bytes of each call between two other frames. */
function joinBlobs(frames: readonly Frame[]): { type: number; call: number; payload: number[] }[] {
  const joined: { type: number; call: number; payload: number[] }[] = []
  for (const { type, call, payload } of frames) {
    const last = joined.at(-1)
    if (type === FrameType.blob && payload.length === 0) continue
    if (type === FrameType.blob && last?.type === FrameType.blob && last.call === call)
      last.payload.push(...payload)
    else joined.push({ type, call, payload: [...payload] })
  }
  return joined
}

test('gives the same frames however the bytes are split', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (frames, places) => {
        expect(joinBlobs(feed(cut(encode(frames), places)))).toEqual(joinBlobs(frames))
      },
    ),
  )
})

test('arbitrary bytes give frames or protocol_violation, never anything else', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }), (parts) => {
      try {
        feed(parts)
      } catch (error) {
        expect(error).toBeInstanceOf(EasyNetError)
        expect(error).toMatchObject({ reason: 'protocol_violation' })
      }
    }),
    { numRuns: 500 },
  )
})

test('the header is length, type and call number, big-endian', () => {
  expect(Buffer.from(frameHeader(FrameType.result, 0x01020304, 3)).toString('hex')).toBe('000000080501020304')
})

test.each([
  ['a payload that is one byte too long', MAX_FRAME_BYTES + 5 + 1, FrameType.call],
  ['a BLOB that is one byte too long', MAX_BLOB_FRAME_BYTES + 5 + 1, FrameType.blob],
  ['4 GiB', 0xffff_ffff, FrameType.value],
  ['a length shorter than the header', 4, FrameType.value],
  ['type 0', 5, 0],
  ['a type that is not known', 5, 15],
])('%s is refused by its header alone', (_, length, type) => {
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  header.writeUInt32BE(length, 0)
  header.writeUInt8(type, 4)
  expect(() => feed([header])).toThrow(expect.objectContaining({ reason: 'protocol_violation' }))
})

test('the longest frames are accepted', () => {
  const call = { type: FrameType.call, call: 1, payload: new Uint8Array(MAX_FRAME_BYTES) }
  const blob = { type: FrameType.blob, call: 0, payload: new Uint8Array(MAX_BLOB_FRAME_BYTES) }
  expect(feed([encode([call, blob])]).map((got) => got.payload.length)).toEqual([
    MAX_FRAME_BYTES,
    MAX_BLOB_FRAME_BYTES,
  ])
})

test('parts of a BLOB are handed on as they come and not copied', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4)
  const splitter = new FrameSplitter()
  splitter.push(frameHeader(FrameType.blob, 7, 4))
  expect(splitter.next()).toBeUndefined()
  const part = bytes.subarray(0, 3)
  splitter.push(part)
  const got = splitter.next()
  expect(got).toEqual({ type: FrameType.blob, call: 7, payload: part })
  expect(got?.payload.buffer).toBe(bytes.buffer)
  splitter.push(bytes.subarray(3))
  expect(splitter.next()?.payload).toEqual(Uint8Array.of(4))
})

test('a flood of empty BLOB frames is passed over', () => {
  const empty = frameHeader(FrameType.blob, 0, 0)
  const flood = Buffer.concat(Array.from({ length: 200_000 }, () => empty))
  expect(feed([flood, encode([{ type: FrameType.ack, call: 0, payload: new Uint8Array(0) }])])).toHaveLength(
    1,
  )
})

test('lists of chunks, as libp2p hands them on, are read too', () => {
  const whole = encode([{ type: FrameType.log, call: 3, payload: Uint8Array.of(9) }])
  const splitter = new FrameSplitter()
  splitter.push([whole.subarray(0, 3), new Uint8Array(0), whole.subarray(3)])
  const got = splitter.next()
  expect(got).toMatchObject({ type: FrameType.log, call: 3 })
  expect([...(got?.payload ?? [])]).toEqual([9])
})
