import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EasyNetError } from '../../../../src/errors/error.ts'
import { attachBlobs, MAX_CHUNK_BYTES, MAX_VALUE_BYTES, type Value } from '../../../../src/model/value.ts'
import * as codec from '../../../../src/protocols/call/codec.ts'
import {
  MAX_BLOBS,
  MAX_FRAME_BYTES,
  MAX_SHARED_RESULT_BYTES,
  MIN_BLOB_BYTES,
} from '../../../../src/protocols/call/constants.ts'
import { encodeCbor } from '../../../../src/util/cbor.ts'
import { values } from '../../support/values.ts'

const header: codec.CallHeader = {
  id: randomUUID(),
  fn: 'text.upper',
  timeoutMs: 5_000,
  input: false,
  args: [],
  kwargs: {},
}
const hasReason = (reason: string) => expect.objectContaining({ reason }) as Error

test('a call comes back with its values and blobs', () => {
  const kwargs = fc.dictionary(fc.string(), values(), { noNullPrototype: true })
  fc.assert(
    fc.property(fc.array(values(), { maxLength: 4 }), kwargs, fc.boolean(), (args, kwargs, input) => {
      const call = { ...header, args: [...args, new Uint8Array(MIN_BLOB_BYTES).fill(7)], kwargs, input }
      const encoded = codec.encodeCall(call)
      const { skeleton, blobBytes } = codec.decodeCall(encoded.payload)
      expect(blobBytes).toEqual([MIN_BLOB_BYTES])
      expect(codec.attachCallBlobs(skeleton, encoded.blobs)).toEqual(call)
    }),
  )
})

test('a value comes back', () => {
  fc.assert(
    fc.property(values(), (value) => {
      const { payload, blobs } = codec.encodeValue(value)
      expect(attachBlobs(codec.decodeValue(payload).skeleton, blobs)).toEqual(value)
      expect(codec.decodeProgress(codec.encodeProgress(value))).toEqual(value)
    }),
  )
})

test('bytes from 16 KiB on travel as blobs and are not copied', () => {
  const short = new Uint8Array(MIN_BLOB_BYTES - 1)
  const long = new Uint8Array(MIN_BLOB_BYTES)
  const { blobs, bytes } = codec.encodeValue([short, long])
  expect(blobs).toHaveLength(1)
  expect(blobs[0]).toBe(long)
  expect(bytes).toBeGreaterThan(2 * MIN_BLOB_BYTES - 1)
})

test('a fraction of a millisecond is rounded up, so that a deadline never becomes 0', () => {
  const { payload } = codec.encodeCall({ ...header, timeoutMs: 0.2 })
  expect(codec.decodeCall(payload).skeleton.timeoutMs).toBe(1)
})

test('more fields than we know are left to newer versions', () => {
  const { id } = header
  const payload = encodeCbor([id, 'f', 10, false, [[1], {}, 'new'], [], 'newer', { x: 1 }])
  expect(codec.decodeCall(payload).skeleton).toMatchObject({ id, fn: 'f', args: [1] })
  expect(codec.decodeAsk(encodeCbor([id, 5, 9, false, 'newer']))).toEqual({
    id,
    waitMs: 5,
    ageMs: 9,
    once: false,
  })
})

test.each<[string, unknown[]]>([
  ['an id that is no UUID', ['x', 'f', 1, false, [[], {}], []]],
  ['an id in capitals', [header.id.toUpperCase().replace(/^./, 'A'), 'f', 1, false, [[], {}], []]],
  ['a name that is none', [header.id, '../f', 1, false, [[], {}], []]],
  ['a negative deadline', [header.id, 'f', -1, false, [[], {}], []]],
  ['a deadline with a fraction', [header.id, 'f', 1.5, false, [[], {}], []]],
  ['arguments that are no list', [header.id, 'f', 1, false, [{}, {}], []]],
  ['named arguments that are a list', [header.id, 'f', 1, false, [[], []], []]],
  ['named arguments that are bytes', [header.id, 'f', 1, false, [[], new Uint8Array(1)], []]],
  ['a negative blob', [header.id, 'f', 1, false, [[], {}], [-1]]],
  ['too many blobs', [header.id, 'f', 1, false, [[], {}], Array.from({ length: MAX_BLOBS + 1 }, () => 0)]],
  ['too few fields', [header.id, 'f', 1]],
])('a call with %s is refused', (_, fields) => {
  expect(() => codec.decodeCall(encodeCbor(fields))).toThrow(hasReason('protocol_violation'))
})

test('announced bytes are bounded before anything is reserved', () => {
  const announce = (...lengths: number[]): Uint8Array => encodeCbor([null, lengths])
  expect(codec.decodeValue(announce(MAX_VALUE_BYTES)).blobBytes).toEqual([MAX_VALUE_BYTES])
  expect(() => codec.decodeValue(announce(MAX_VALUE_BYTES, 1))).toThrow(hasReason('too_large'))
  expect(() => codec.decodeValue(announce(MAX_CHUNK_BYTES + 1), MAX_CHUNK_BYTES)).toThrow(
    hasReason('too_large'),
  )
})

test('a value that names a blob that was not announced, or one twice, is refused', () => {
  const blob = new Uint8Array(MIN_BLOB_BYTES)
  const { payload } = codec.encodeValue([blob])
  expect(() => attachBlobs(codec.decodeValue(payload).skeleton, [])).toThrow(hasReason('invalid_value'))
  const { payload: call } = codec.encodeCall({ ...header, args: [blob, blob] })
  expect(() => codec.attachCallBlobs(codec.decodeCall(call).skeleton, [blob])).toThrow(
    hasReason('invalid_value'),
  )
})

test('what the other side could not read is refused before it is sent', () => {
  const longText = 'x'.repeat(MAX_FRAME_BYTES)
  expect(() => codec.encodeCall({ ...header, args: [longText] })).toThrow(hasReason('too_large'))
  expect(() => codec.encodeValue(longText)).toThrow(hasReason('too_large'))
  expect(() => codec.encodeValue(Array.from({ length: 100_000 }, () => 1))).toThrow(hasReason('too_large'))
  expect(() => codec.encodeProgress(longText)).toThrow(hasReason('too_large'))
  expect(() => codec.encodeValue('x'.repeat(MAX_FRAME_BYTES - 100))).not.toThrow()
})

test('more bytes than a value may have are refused before they are sent', () => {
  const half = new Uint8Array(MAX_VALUE_BYTES / 2)
  expect(() => codec.encodeValue([half, half])).toThrow(hasReason('too_large'))
})

test('an error comes back without its cause; details that are too long are left out', () => {
  const error = new EasyNetError('function_error', 'no', { cause: new Error('x'), details: { name: 'E' } })
  expect(codec.decodeError(codec.encodeError(error)).toJSON()).toEqual(error.toJSON())
  const long = new EasyNetError('function_error', 'm'.repeat(5_000), {
    details: { text: 'x'.repeat(MAX_SHARED_RESULT_BYTES) },
  })
  const encoded = codec.encodeError(long)
  expect(encoded.length).toBeLessThan(MAX_SHARED_RESULT_BYTES)
  expect(codec.decodeError(encoded)).toMatchObject({ reason: 'function_error', message: 'm'.repeat(2_000) })
  expect(codec.decodeError(encoded).details).toBeUndefined()
})

test('an error whose details cannot travel still arrives', () => {
  const error = new EasyNetError('function_error', 'no', { details: { run: () => 1 } })
  expect(codec.decodeError(codec.encodeError(error)).toJSON()).toMatchObject({ message: 'no' })
})

test('a provider cannot say what only this device can: that the token is wrong, or a file', () => {
  for (const reason of [
    'unauthenticated',
    'foreign_host',
    'foreign_origin',
    'unknown_route',
    'unsafe_bind',
  ] as const) {
    const decoded = codec.decodeError(codec.encodeError(new EasyNetError(reason, 'as if').asNotStarted()))
    expect(decoded).toMatchObject({ reason: 'protocol_violation', retryable: false, notStarted: true })
    expect(decoded.message).toContain(reason)
  }
})

test('log lines, cancels, questions and verdicts come back', () => {
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    expect(codec.decodeLog(codec.encodeLog({ level, message: 'm' }))).toEqual({ level, message: 'm' })
  }
  expect(codec.decodeLog(encodeCbor([9, 'x'.repeat(9_000)]))).toEqual({
    level: 'info',
    message: 'x'.repeat(2_000),
  })
  expect(codec.decodeCancel(codec.encodeCancel('deadline_exceeded'))).toBe('deadline_exceeded')
  expect(codec.decodeCancel(codec.encodeCancel('interrupted'))).toBe('cancelled')
  expect(codec.decodeAsk(codec.encodeAsk({ id: header.id, waitMs: 0.5, ageMs: 7.2, once: true }))).toEqual({
    id: header.id,
    waitMs: 1,
    ageMs: 8,
    once: true,
  })
  for (const state of ['running', 'interrupted', 'never', 'forgotten'] as const) {
    expect(codec.decodeVerdict(codec.encodeVerdict(state))).toBe(state)
  }
  expect(() => codec.decodeVerdict(encodeCbor([4]))).toThrow(hasReason('protocol_violation'))
})

test('arbitrary payloads are read or refused with an error of ours', () => {
  const cborOfAnything = fc.array(values(), { maxLength: 7 }).map((fields) => encodeCbor(fields as Value))
  const decoders = [
    codec.decodeCall,
    codec.decodeValue,
    codec.decodeEnd,
    codec.decodeError,
    codec.decodeProgress,
    codec.decodeLog,
    codec.decodeCancel,
    codec.decodeAsk,
    codec.decodeVerdict,
  ]
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), cborOfAnything), (payload) => {
      for (const decode of decoders) {
        try {
          decode(payload)
        } catch (error) {
          expect(error).toBeInstanceOf(EasyNetError)
        }
      }
    }),
    { numRuns: 500 },
  )
})
