import { expect, test } from 'vitest'
import { exitCodeOf } from '../../../src/cli/exit-codes.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import { type Reason, REASONS } from '../../../src/errors/reasons.ts'

test.each<[Reason, number]>([
  ['function_error', 1],
  ['interrupted', 1],
  ['outcome_unknown', 1],
  ['invalid_request', 2],
  ['invalid_value', 2],
  ['too_large', 2],
  ['unknown_call', 2],
  ['daemon_unreachable', 3],
  ['unauthenticated', 4],
  ['foreign_origin', 4],
  ['no_provider', 5],
  ['unknown_function', 5],
  ['unknown_peer', 5],
  ['ambiguous_peer', 2],
  ['peer_unreachable', 5],
  ['queue_full', 5],
  ['deadline_exceeded', 124],
  ['cancelled', 130],
  ['internal', 70],
])('%s ends with %i', (reason, code) => expect(exitCodeOf(new EasyNetError(reason, ''))).toBe(code))

test('every reason has one of the documented codes, and none looks like success', () => {
  const codes = Object.keys(REASONS).map((reason) => exitCodeOf(new EasyNetError(reason as Reason, '')))
  expect(codes.filter((code) => ![1, 2, 3, 4, 5, 6, 70, 124, 130].includes(code))).toEqual([])
})
