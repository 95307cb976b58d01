import { expect, test } from 'vitest'
import { formatDuration, parseDuration } from '../../../src/cli/duration.ts'

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['10', 10_000],
  ['1.5m', 90_000],
  ['2 h', 7_200_000],
  ['1d', 86_400_000],
])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

test.each(['', 'x', '0', '-1s', '1w', '1s2m', 'Infinity'])('"%s" is no duration', (text) => {
  expect(() => parseDuration(text)).toThrow(expect.objectContaining({ reason: 'invalid_request' }))
})

test.each([
  [0, '0 ms'],
  [340.4, '340 ms'],
  [2_549, '2.5 s'],
  [200_000, '3 m 20 s'],
  [3_600_000, '1 h'],
  [273_600_000, '3 d 4 h'],
])('%d ms is shown as %s', (ms, text) => expect(formatDuration(ms)).toBe(text))
