import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { type Reason, REASONS } from '../../../src/errors/reasons.ts'
import { kindOfFailure } from '../../../src/scheduler/retry.ts'

const NEVER_STARTED: Reason[] = [
  'peer_unreachable',
  'queue_full',
  'too_many_calls',
  'draining',
  'unknown_function',
  'storage_failed',
]
const CUT_OFF: Reason[] = ['interrupted', 'outcome_unknown', 'incomplete']
const kindOf = (reason: Reason) => kindOfFailure(new EasyNetError(reason, ''))

test.each(NEVER_STARTED)('after %s another device may be asked when the refusal itself says so', (reason) => {
  expect(kindOfFailure(new EasyNetError(reason, '', { notStarted: true }))).toBe('never_started')
})

test.each(NEVER_STARTED)('%s alone proves nothing: a program may have thrown it', (reason) => {
  expect(kindOf(reason)).toBe('final')
})

test.each(CUT_OFF)('after %s only an idempotent function may run again', (reason) => {
  expect(kindOf(reason)).toBe('cut_off')
})

test('every other reason is final', () => {
  const others = (Object.keys(REASONS) as Reason[]).filter(
    (reason) => !NEVER_STARTED.includes(reason) && !CUT_OFF.includes(reason),
  )
  expect(others.filter((reason) => kindOf(reason) !== 'final')).toEqual([])
})

test("what a function's own error says of retrying changes nothing", () => {
  const error = new EasyNetError('function_error', 'x', { retryable: true })
  expect(kindOfFailure(error)).toBe('final')
})
