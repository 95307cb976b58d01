import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { fromFramedJson, toFramedJson } from '../../../src/model/json.ts'
import { encodeFrame, type Frame, FrameReader } from '../../../src/sdk/attach/framing.ts'
import { MAX_BLOBS, MAX_LINE_BYTES, MAX_MESSAGE_BLOB_BYTES } from '../../../src/model/attach.ts'

const bytesOf = (parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))

function readAll(bytes: Uint8Array, cuts: readonly number[]): Frame[] {
  const reader = new FrameReader()
  const edges = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).flatMap((end, i) => [...reader.push(bytes.subarray(edges[i], end))])
}

test('messages and blobs come out whole, wherever the bytes were split', () => {
  const message = fc.record({
    params: fc.dictionary(fc.string(), fc.jsonValue()),
    blobs: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
  })
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 20 }),
      (sent, cuts) => {
        const bytes = bytesOf(
          sent.flatMap(({ params, blobs }) => encodeFrame({ method: 'm', params }, blobs)),
        )
        const frames = readAll(bytes, cuts)
        expect(frames.map((frame) => JSON.stringify(frame.message.params))).toEqual(
          sent.map(({ params }) => JSON.stringify(params)),
        )
        expect(frames.map((frame) => frame.blobs.map((blob) => [...blob]))).toEqual(
          sent.map(({ blobs }) => blobs.map((blob) => [...blob])),
        )
      },
    ),
  )
})

test('values with bytes survive the way through the framing', () => {
  const value = { image: new Uint8Array([1, 2, 3]), none: new Uint8Array(), odd: { $bin: 0 }, text: '你好\n' }
  const { json, blobs } = toFramedJson(value)
  const [frame] = readAll(bytesOf(encodeFrame({ params: json }, blobs)), [1, 5, 9])
  expect(fromFramedJson(frame?.message.params, frame?.blobs ?? [])).toEqual({
    image: new Uint8Array([1, 2, 3]),
    none: new Uint8Array(),
    odd: { $bin: 0 },
    text: '你好\n',
  })
})

test('a blob does not keep the received chunk alive', () => {
  const [frame] = [...new FrameReader().push(bytesOf(encodeFrame({ method: 'm' }, [new Uint8Array(10)])))]
  expect(frame?.blobs[0]?.buffer.byteLength).toBe(10)
})

test.each([
  ['not JSON', '{"a":\n', 'protocol_violation'],
  ['not an object', '[1]\n', 'protocol_violation'],
  ['a negative length', '{"bin":[-1]}\n', 'protocol_violation'],
  ['a length that is no number', '{"bin":["9"]}\n', 'protocol_violation'],
  ['too many blobs', `{"bin":[${'0,'.repeat(MAX_BLOBS)}0]}\n`, 'protocol_violation'],
  ['too many bytes, before any is there', `{"bin":[${MAX_MESSAGE_BLOB_BYTES},1]}\n`, 'too_large'],
])('refuses %s', (_, line, reason) => {
  expect(() => [...new FrameReader().push(Buffer.from(line))]).toThrow(expect.objectContaining({ reason }))
})

test('refuses a line that is too long before its end has come', () => {
  const reader = new FrameReader()
  const part = Buffer.alloc(MAX_LINE_BYTES / 4, 'a')
  for (let i = 0; i < 4; i++) expect([...reader.push(part)]).toEqual([])
  expect(() => [...reader.push(Buffer.from('a'))]).toThrow(EasyNetError)
})

test('refuses to send what the daemon would refuse', () => {
  const blobs = Array.from({ length: MAX_BLOBS + 1 }, () => new Uint8Array())
  expect(() => encodeFrame({}, blobs)).toThrow(expect.objectContaining({ reason: 'too_large' }))
  expect(() => encodeFrame({ params: 'x'.repeat(MAX_LINE_BYTES) }, [])).toThrow(EasyNetError)
})
