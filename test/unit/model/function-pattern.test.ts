import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FUNCTION_NAME } from '../../../src/model/function.ts'
import {
  coversPattern,
  FUNCTION_PATTERN,
  matchesPattern,
  parsePattern,
} from '../../../src/model/function-pattern.ts'

const name = fc.stringMatching(/^[ab_][ab._:-]{0,4}$/)
const pattern = fc.oneof(
  name,
  name.map((text) => `${text}*`),
  fc.constant('*'),
)

test('every function name is a pattern that means itself only', () => {
  fc.assert(
    fc.property(fc.stringMatching(FUNCTION_NAME), (text) => {
      expect(FUNCTION_PATTERN.test(text)).toBe(true)
      expect(matchesPattern(text, text)).toBe(true)
      expect(matchesPattern(text, `${text}x`)).toBe(false)
    }),
  )
})

test('a pattern covers another exactly when it means every name that the other means', () => {
  fc.assert(
    fc.property(pattern, pattern, name, (outer, inner, text) => {
      if (coversPattern(outer, inner)) {
        if (matchesPattern(inner, text)) expect(matchesPattern(outer, text)).toBe(true)
      } else {
        // A name of `inner` that `outer` does not mean: its own letters, or one more.
        const witnesses = [inner.replace(/\*$/, ''), inner.replace(/\*$/, 'z'), 'zz']
        expect(witnesses.some((one) => matchesPattern(inner, one) && !matchesPattern(outer, one))).toBe(true)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a slash is read as a dot; what else is no pattern is refused', () => {
  expect(['llm/*', 'llm.*', '*', 'text.upper'].map(parsePattern)).toEqual([
    'llm.*',
    'llm.*',
    '*',
    'text.upper',
  ])
  for (const text of ['', '**', 'a*b', '*a', 'a b', '.a', 'x'.repeat(129), `${'x'.repeat(128)}*`]) {
    expect(() => parsePattern(text)).toThrow(expect.objectContaining({ reason: 'invalid_request' }))
  }
})
