import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseTraceparent, traceparentOf } from '../../../src/model/trace.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

test('a valid traceparent is taken as it is', () => {
  for (const flags of ['00', '01', 'ff']) {
    const text = `00-${TRACE}-${PARENT}-${flags}`
    expect(parseTraceparent(text)).toBe(text)
  }
})

test.each([
  ['nothing', undefined],
  ['a number', 1],
  ['an empty text', ''],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
  ['a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
  ['too short a trace', `00-${TRACE.slice(1)}-${PARENT}-01`],
  ['more after version 00', `00-${TRACE}-${PARENT}-01-more`],
  ['spaces', ` 00-${TRACE}-${PARENT}-01`],
  ['a second line', `00-${TRACE}-${PARENT}-01\n`],
  ['two headers in one', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
  ['version ff', `ff-${TRACE}-${PARENT}-01`],
  ['a newer version that runs on without a dash', `01-${TRACE}-${PARENT}-01x`],
  ['a very long one', `01-${TRACE}-${PARENT}-01-${'x'.repeat(1_000)}`],
])('%s is no traceparent', (_, text) => {
  expect(parseTraceparent(text)).toBeUndefined()
})

test('of a newer version the part that is known is taken', () => {
  const known = `00-${TRACE}-${PARENT}-01`
  expect(parseTraceparent(`01-${TRACE}-${PARENT}-01`)).toBe(known)
  expect(parseTraceparent(`cc-${TRACE}-${PARENT}-f1-what-else`)).toBe(known)
})

test('any text is answered, and what is accepted has the form of version 00', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef-')), maxLength: 70 }),
      (text) => {
        const parsed = parseTraceparent(text)
        return parsed === undefined || /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(parsed)
      },
    ),
  )
})

test('a call without a trace gets the one that its id names', () => {
  const id = randomUUID()
  const traceparent = traceparentOf(id)
  expect(parseTraceparent(traceparent)).toBe(traceparent)
  expect(traceparent.slice(3, 35)).toBe(id.replaceAll('-', ''))
})
