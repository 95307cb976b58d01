import fc from 'fast-check'
import { expect, test } from 'vitest'
import { callParamsSchema, parseCallParams, usualCallParams } from '../../../src/api/attach/call-params.ts'

const id = '019b2f6e-1a2b-7c3d-8e4f-0123456789ab'
const usual = fc.record(
  {
    fn: fc.string({ minLength: 1, maxLength: 512 }),
    id: fc.constant(id),
    args: fc.array(fc.jsonValue(), { maxLength: 4 }),
    kwargs: fc.dictionary(fc.string(), fc.jsonValue()),
    timeoutMs: fc.integer({ min: 1, max: 86_400_000 }),
    stream: fc.boolean(),
    input: fc.boolean(),
  },
  { requiredKeys: ['fn'] },
)
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('', 'x'.repeat(513), id.toUpperCase(), `${id}\n`, 0, -1, 1.5, 86_400_001, 2 ** 53),
  fc.constantFrom(Number.POSITIVE_INFINITY, [], Array(1_025).fill(0), JSON.parse('{"__proto__":1,"a":2}')),
)
const names = ['fn', 'id', 'args', 'kwargs', 'timeoutMs', 'stream', 'input', 'peer', 'key', 'maxCost']
const other = fc.constantFrom(...names, 'traceparent', '__proto__', 'constructor', 'toString', 'arg')

/** Params with one member replaced, or one more. */
const changed = fc.tuple(usual, other, odd).map(([params, name, value]) => {
  const members = Object.entries(params).filter(([key]) => key !== name)
  const text = [...members, [name, value] as const].map(
    ([key, item]) => `${JSON.stringify(key)}:${item === Infinity ? '1e999' : JSON.stringify(item)}`,
  )
  return JSON.parse(`{${text.join()}}`) as Record<string, unknown>
})

test('params in the usual form need no schema', () => {
  fc.assert(
    fc.property(usual, (params) => {
      expect(usualCallParams(params)).toEqual(callParamsSchema.parse(params))
    }),
  )
})

test('whatever the params are, they are taken, refused and read as the schema does it', () => {
  const check = (params: Record<string, unknown>): void => {
    const wanted = callParamsSchema.safeParse(params)
    if (wanted.success) expect(parseCallParams(params)).toEqual(wanted.data)
    else {
      expect(usualCallParams(params)).toBeUndefined()
      const [issue] = wanted.error.issues
      expect(() => parseCallParams(params)).toThrow(
        expect.objectContaining({
          reason: 'invalid_request',
          message: expect.stringContaining(issue?.message ?? '') as string,
        }),
      )
    }
  }
  fc.assert(fc.property(changed, check), { numRuns: 3_000 })
  fc.assert(fc.property(fc.dictionary(other, odd), check), { numRuns: 1_000 })
})
