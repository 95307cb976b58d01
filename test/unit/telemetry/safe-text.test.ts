import fc from 'fast-check'
import { expect, test } from 'vitest'
import { safeText } from '../../../src/telemetry/safe-text.ts'

test('escapes what could move the cursor, break the line or turn the text', () => {
  expect(safeText('a\n\u001b[31mred\u202e\u2028')).toBe('a\\u000a\\u001b[31mred\\u202e\\u2028')
  expect(safeText('\ud800half')).toBe('\\ud800half')
})

test('leaves text of any script as it is', () => {
  for (const text of ['Zoë’s laptop', '我的电脑', 'جهاز', '👩‍💻']) expect(safeText(text)).toBe(text)
})

test('cuts long text between characters and says so', () => {
  expect(safeText('💡💡💡', 2)).toBe('💡💡…')
  expect(safeText('💡💡', 2)).toBe('💡💡')
})

test('any text becomes one line of bounded length', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 100 }),
      fc.integer({ min: 1, max: 50 }),
      (text, max) => {
        const safe = safeText(text, max)
        expect(safe).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u)
        expect(safe.length).toBeLessThanOrEqual(6 * max + 1)
      },
    ),
  )
})
