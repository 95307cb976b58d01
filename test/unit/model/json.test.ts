import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { fromFramedJson, fromPlainJson, toFramedJson, toPlainJson } from '../../../src/model/json.ts'
import { BlobRef, detachBlobs } from '../../../src/model/value.ts'
import { values } from '../support/values.ts'

const throughText = (json: unknown): unknown => JSON.parse(JSON.stringify(json)) as unknown

function framed(value: unknown): { json: unknown; blobs: readonly Uint8Array[] } {
  const blobs: Uint8Array[] = []
  return { json: toFramedJson(value, blobs), blobs }
}

test('every value survives JSON with bytes beside it', () => {
  fc.assert(
    fc.property(values(), (value) => {
      const { json, blobs } = framed(value)
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
    const { json, blobs } = framed(value)
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
  expect(framed({ bytes })).toEqual({ json: { bytes: { $bin: 0 } }, blobs: [bytes] })
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

/** What programs hand over beside values: things with a form of their own in JSON, and what cannot travel. */
const anything = fc.anything({
  maxDepth: 3,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withBigInt: true,
  withNullPrototype: true,
})
class Named extends Array<unknown> {
  toJSON(): string {
    return 'named'
  }
}

test('a value has the form that its skeleton has, or is refused with the same error', () => {
  const skeletonJson = (node: unknown): unknown => {
    if (node instanceof BlobRef) return { $bin: node.index }
    if (Array.isArray(node)) return Array.from(node, skeletonJson)
    if (typeof node !== 'object' || node === null) return node
    const entries = Object.entries(node).map(([key, item]) => [key, skeletonJson(item)] as const)
    const isMarker = entries.length === 1 && /^\$(bin|bytes|esc)$/.test(entries[0]?.[0] ?? '')
    return isMarker ? { $esc: Object.fromEntries(entries) } : Object.fromEntries(entries)
  }
  const outcomeOf = (form: () => { json: unknown; blobs: readonly Uint8Array[] }): unknown => {
    try {
      const { json, blobs } = form()
      return [JSON.stringify(json), blobs]
    } catch (error) {
      return error
    }
  }
  const check = (value: unknown): void => {
    const twoSteps = outcomeOf(() => {
      const { skeleton, blobs } = detachBlobs(value, 0)
      return { json: skeletonJson(skeleton), blobs }
    })
    expect(outcomeOf(() => framed(value))).toEqual(twoSteps)
  }
  fc.assert(fc.property(fc.oneof(anything, values()), check), { numRuns: 1_000 })
  for (const value of [Named.of(1), { $bin: 1, gone: undefined }, { a: Object('text'), b: [new Named()] }]) {
    check(value)
  }
})

test('what needs no change is not copied, and nothing given is changed', () => {
  const plain = { a: [1, { b: 'x' }], none: null }
  expect(framed(plain).json).toBe(plain)
  const mixed = Object.freeze([plain, Object.freeze([new Uint8Array(1)])])
  const { json } = framed(mixed)
  expect(json).toEqual([plain, [{ $bin: 0 }]])
  expect((json as unknown[])[0]).toBe(plain)
})

test('one blob in two places is refused', () => {
  const twice = [{ $bin: 0 }, { x: { $bin: 0 } }]
  expect(() => fromFramedJson(twice, [new Uint8Array(1)])).toThrow('There is no blob 0')
})
