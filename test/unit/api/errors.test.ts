import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { errorBody, httpStatus, invalidRequest, publicError } from '../../../src/api/errors.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import { type Reason, REASONS } from '../../../src/errors/reasons.ts'

describe('the HTTP status of an error', () => {
  test.each<[Reason, number]>([
    ['invalid_request', 400],
    ['invalid_value', 400],
    ['too_large', 413],
    ['unsupported_media_type', 415],
    ['unauthenticated', 401],
    ['foreign_origin', 403],
    ['foreign_host', 421],
    ['unknown_route', 404],
    ['no_provider', 404],
    ['function_exists', 409],
    ['interrupted', 409],
    ['already_running', 412],
    ['queue_full', 429],
    ['cancelled', 499],
    ['not_implemented', 501],
    ['peer_unreachable', 503],
    ['deadline_exceeded', 504],
    ['function_error', 500],
    ['internal', 500],
  ])('%s is %d', (reason, status) => {
    expect(httpStatus(new EasyNetError(reason, 'x'))).toBe(status)
  })
  test('is an error for every reason', () => {
    for (const reason of Object.keys(REASONS) as Reason[]) {
      expect(httpStatus(new EasyNetError(reason, 'x'))).toBeGreaterThanOrEqual(400)
    }
  })
})

test('an unknown error says nothing of what it holds', () => {
  const body = errorBody(publicError(new TypeError('secret /home/me/key')))
  expect(JSON.stringify(body)).not.toContain('secret')
  expect(body.error.reason).toBe('internal')
})

test('our errors pass as they are', () => {
  const error = new EasyNetError('no_provider', 'Nobody.', { hint: 'h', details: { n: 1 } })
  expect(errorBody(publicError(error))).toEqual({
    error: {
      code: 'not_found',
      reason: 'no_provider',
      message: 'Nobody.',
      hint: 'h',
      retryable: true,
      details: { n: 1 },
    },
  })
})

test('details that cannot be sent are left out', () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  for (const details of [circle, { n: 1n }, { text: 'x'.repeat(100_000) }]) {
    const body = errorBody(new EasyNetError('function_error', 'm', { details }))
    expect(JSON.parse(JSON.stringify(body))).toEqual({
      error: { code: 'unknown', reason: 'function_error', message: 'm', retryable: false },
    })
  }
})

test('a failed validation names each place', () => {
  const schema = z.strictObject({ functions: z.array(z.strictObject({ name: z.string() })) })
  const parsed = schema.safeParse({ functions: [{ name: 1 }, { name: 'a', timeout: 2 }], x: 1 })
  const { message, reason } = invalidRequest(parsed.error ?? new z.ZodError([]), 'body')
  expect(reason).toBe('invalid_request')
  expect(message).toContain('functions[0].name:')
  expect(message).toContain('functions[1]: Unrecognized key: "timeout"')
  expect(message).toContain('Unrecognized key: "x"')
})
