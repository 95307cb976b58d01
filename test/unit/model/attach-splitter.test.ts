import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { announcedLengths, messageText } from '../../../src/model/attach-message.ts'
import { createRawSplitter } from '../../../src/model/attach-splitter.ts'
import { fromFramedJson, toFramedJson } from '../../../src/model/json.ts'
import { allocateBytes } from '../../../src/util/bytes.ts'

interface Sent {
  json: Record<string, unknown>
  blobs: Uint8Array[]
}

const message: fc.Arbitrary<Sent> = fc.record({
  json: fc.record({ method: fc.string({ unit: 'binary' }), params: fc.jsonValue() }),
  blobs: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }),
})

function encode({ json, blobs }: Sent): Buffer {
  return Buffer.concat([Buffer.from(`${messageText({ ...json }, blobs)}\n`), ...blobs])
}

function split(parts: readonly Buffer[], maxLineBytes?: number): Sent[] {
  const got: Sent[] = []
  const feed = createRawSplitter(
    ({ method, params }, blobs) =>
      void got.push({ json: { method, params }, blobs: blobs.map((blob) => new Uint8Array(blob)) }),
    maxLineBytes === undefined ? {} : { maxLineBytes },
  )
  for (const part of parts) feed(part)
  return got
}

function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => whole.subarray(from, at[index] ?? whole.length))
}

const plain = (sent: readonly Sent[]): unknown => JSON.parse(JSON.stringify(sent))

describe('the raw framing', () => {
  test('gives the same messages however the bytes are split', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (sent, places) => {
          const got = split(cut(Buffer.concat(sent.map(encode)), places))
          expect(plain(got)).toEqual(plain(sent))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('works byte by byte, with empty blobs and blank lines', () => {
    const sent = {
      json: { method: 'é' },
      blobs: [new Uint8Array(0), new Uint8Array([10, 13]), new Uint8Array(0)],
    }
    const whole = Buffer.concat([Buffer.from('\r\n\n'), encode(sent), encode(sent)])
    expect(plain(split([...whole].map((byte) => Buffer.from([byte]))))).toEqual(plain([sent, sent]))
  })

  test('carries values with bytes', () => {
    const value = {
      image: new Uint8Array([1, 2, 3]),
      none: new Uint8Array(),
      odd: { $bin: 0 },
      text: '你好\n',
    }
    const blobs: Uint8Array[] = []
    const whole = encode({ json: { params: toFramedJson(value, blobs) }, blobs })
    const [got] = split(cut(whole, [1, 5, 9]))
    const read = fromFramedJson(got?.json['params'], got?.blobs ?? [])
    expect(read).toEqual(value)
  })

  test('gives blobs memory of their own where that is asked for', () => {
    let got: readonly Uint8Array[] = []
    const feed = createRawSplitter((_, blobs) => void (got = blobs), { allocate: allocateBytes })
    feed(encode({ json: { method: 'm' }, blobs: [new Uint8Array(10)] }))
    expect(got[0]?.buffer.byteLength).toBe(10)
  })

  test('refuses a long line before it has come', () => {
    const feed = createRawSplitter(() => {}, { maxLineBytes: 100 })
    feed(Buffer.alloc(60, 32))
    expect(() => feed(Buffer.alloc(60, 32))).toThrow('at most 100')
  })

  test('copies a large blob in linear time', () => {
    const blob = Buffer.alloc(64 * 1024 * 1024, 7)
    const part = 64 * 1024
    let got: readonly Uint8Array[] = []
    const feed = createRawSplitter((_, blobs) => void (got = blobs))
    const startedAt = performance.now()
    feed(Buffer.from(`{"method":"x","bin":[${blob.length}]}\n`))
    for (let at = 0; at < blob.length; at += part) feed(blob.subarray(at, at + part))
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(Buffer.compare(got[0] ?? Buffer.alloc(0), blob)).toBe(0)
  })

  test('assembles a long line in linear time', () => {
    const line = Buffer.from(`{"method":"${'x'.repeat(8 * 1024 * 1024)}"}\n`)
    let count = 0
    const feed = createRawSplitter(() => void (count += 1))
    const startedAt = performance.now()
    for (let at = 0; at < line.length; at += 1_000) feed(line.subarray(at, at + 1_000))
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    expect(count).toBe(1)
  })

  test.each([
    'nonsense',
    '[]',
    '1',
    'null',
    '"x"',
    '{"bin":1}',
    '{"bin":[-1]}',
    '{"bin":[1.5]}',
    '{"bin":["1"]}',
  ])('refuses %s', (line) => {
    expect(() => split([Buffer.from(`${line}\n`)])).toThrow(
      expect.objectContaining({ reason: 'protocol_violation' }),
    )
  })

  test.each([
    { bin: [129 * 1024 * 1024] },
    { bin: [100 * 1024 * 1024, 100 * 1024 * 1024] },
    { bin: [Number.MAX_SAFE_INTEGER] },
    { method: 'chunk', bin: [9 * 1024 * 1024] },
    { method: 'input', bin: [9 * 1024 * 1024] },
    { bin: Array.from({ length: 1_025 }, () => 0) },
  ])('refuses announced sizes beyond the limits: %j', (json) => {
    expect(() => announcedLengths(json)).toThrow(expect.objectContaining({ reason: 'too_large' }))
  })
})

test('messages that the other side would refuse are not sent', () => {
  expect(() => messageText({ x: 'x'.repeat(17 * 1024 * 1024) }, [])).toThrow('at most')
  expect(() => messageText({ x: 'ü'.repeat(9 * 1024 * 1024) }, [])).toThrow('at most')
  const blobs = Array.from({ length: 1_025 }, () => new Uint8Array(0))
  expect(() => messageText({}, blobs)).toThrow('at most')
})
