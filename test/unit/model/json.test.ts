import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { fromFramedJson, fromPlainJson, toFramedJson, toPlainJson } from '../../../src/model/json.ts'
import { values } from '../support/values.ts'

const throughText = (json: unknown): unknown => JSON.parse(JSON.stringify(json)) as unknown

test('every value survives JSON with bytes beside it', () => {
  fc.assert(
    fc.property(values(), (value) => {
      const { json, blobs } = toFramedJson(value)
      expect(fromFramedJson(throughText(json), blobs)).toEqual(value)
    }),
  )
})

test('every value survives plain JSON', () => {
  fc.assert(
    fc.property(values(), (value) => {
      expect(fromPlainJson(throughText(toPlainJson(value)))).toEqual(value)
    }),
  )
})

test.each(['$bin', '$bytes', '$esc'])("a program's own object with the key %s is escaped", (key) => {
  for (const value of [{ [key]: 0 }, { [key]: { [key]: 'x' } }, [{ [key]: [{ [key]: null }] }]]) {
    expect(fromPlainJson(throughText(toPlainJson(value)))).toEqual(value)
    const { json, blobs } = toFramedJson(value)
    expect(fromFramedJson(throughText(json), blobs)).toEqual(value)
  }
  expect(toPlainJson({ [key]: 0 })).toEqual({ $esc: { [key]: 0 } })
  expect(toPlainJson({ [key]: 0, other: 1 })).toEqual({ [key]: 0, other: 1 })
})

test('__proto__ is a key like others and changes no object', () => {
  const value = fromPlainJson(JSON.parse('{"__proto__":{"x":1},"a":2}')) as Record<string, unknown>
  expect(Object.keys(value)).toEqual(['__proto__', 'a'])
  expect(value['x']).toBeUndefined()
  expect(JSON.stringify(toPlainJson(value))).toBe('{"__proto__":{"x":1},"a":2}')
})

test('bytes are base64 in plain JSON and an index in framed JSON', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  expect(toPlainJson({ bytes })).toEqual({ bytes: { $bytes: 'AQID' } })
  expect(toFramedJson({ bytes })).toEqual({ json: { bytes: { $bin: 0 } }, blobs: [bytes] })
})

test.each([
  [{ $bin: 0 }],
  [{ a: [{ $bin: 0 }] }],
  [{ $bin: 1.5 }],
  [{ $bin: '0' }],
  [{ $bytes: 'AQID' }],
  [{ $esc: 1 }],
  [{ $esc: null }],
])('framed JSON %j without blobs is refused', (json) => {
  expect(() => fromFramedJson(json, [])).toThrow(expect.objectContaining({ reason: 'invalid_value' }))
})

test.each([[{ $bytes: 1 }], [{ $bin: 0 }], [[{ $bytes: null }]], [{ $esc: 'x' }]])(
  'plain JSON %j is refused',
  (json) => {
    expect(() => fromPlainJson(json)).toThrow(expect.objectContaining({ reason: 'invalid_value' }))
  },
)

test('nesting is bounded', () => {
  const nested = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown
  expect(() => fromPlainJson(nested)).toThrow('deeper')
  expect(() => fromFramedJson(nested, [])).toThrow('deeper')
})

test('any JSON is read or refused with an error of ours', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.uint8Array(), { maxLength: 2 }), (json, blobs) => {
      for (const read of [() => fromPlainJson(json), () => fromFramedJson(json, blobs)]) {
        try {
          read()
        } catch (error) {
          expect(error).toBeInstanceOf(EasyNetError)
        }
      }
    }),
  )
})
