import { expect, test } from 'vitest'
import { createInboundBudget, memoryOf } from '../../../../src/protocols/call/inbound-budget.ts'

const tooMany = expect.objectContaining({ reason: 'too_many_calls', retryable: true }) as Error

test('one peer takes no more than its share, another still has its own', () => {
  const budget = createInboundBudget({ maxBytesPerPeer: 100, maxBytes: 1_000 })
  budget.reserve('a', 60)
  budget.reserve('a', 40)
  expect(() => budget.reserve('a', 1)).toThrow(tooMany)
  expect(() => budget.reserve('b', 100)).not.toThrow()
})

test('all peers together take no more than the whole', () => {
  const budget = createInboundBudget({ maxBytesPerPeer: 100, maxBytes: 150 })
  budget.reserve('a', 100)
  expect(() => budget.reserve('b', 51)).toThrow(tooMany)
  expect(() => budget.reserve('b', 50)).not.toThrow()
})

test('what was released can be reserved again, and is released once', () => {
  const budget = createInboundBudget({ maxBytesPerPeer: 100, maxBytes: 100 })
  const held = budget.reserve('a', 100)
  held[Symbol.dispose]()
  held[Symbol.dispose]()
  budget.reserve('a', 100)
  expect(() => budget.reserve('a', 1)).toThrow(tooMany)
})

test('a refused reservation takes nothing', () => {
  const budget = createInboundBudget({ maxBytesPerPeer: 100, maxBytes: 100 })
  expect(() => budget.reserve('a', 101)).toThrow(tooMany)
  expect(() => budget.reserve('a', 100)).not.toThrow()
})

test('lists and maps weigh more than their bytes', () => {
  expect(memoryOf(10, 'text')).toBe(10)
  expect(memoryOf(10, [])).toBe(10 + 64)
  expect(memoryOf(10, [{}, { a: [] }, new Uint8Array(3)])).toBe(10 + 5 * 64)
})
