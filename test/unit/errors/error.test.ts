import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { ERROR_CODES, REASONS } from '../../../src/errors/reasons.ts'

test('the code and whether to try again follow from the reason', () => {
  const error = new EasyNetError('queue_full', 'busy')
  expect(error).toMatchObject({ code: 'resource_exhausted', retryable: true, name: 'EasyNetError' })
  expect(new EasyNetError('queue_full', 'busy', { retryable: false }).retryable).toBe(false)
})

test('as data an error has neither stack nor cause, and no empty members', () => {
  const error = new EasyNetError('internal', 'no', { cause: new Error('secret path') })
  expect(error.toJSON()).toEqual({ code: 'internal', reason: 'internal', message: 'no', retryable: false })
  expect(JSON.stringify(error)).not.toContain('secret')
  const full = new EasyNetError('internal', 'no', { hint: 'do', details: { n: 1 } })
  expect(full.toJSON()).toMatchObject({ hint: 'do', details: { n: 1 } })
})

test('from keeps our own errors and wraps everything else with its cause', () => {
  const own = new EasyNetError('cancelled', 'stop')
  expect(EasyNetError.from(own)).toBe(own)
  const cause = new TypeError('x is not a function')
  expect(EasyNetError.from(cause)).toMatchObject({ reason: 'internal', message: cause.message, cause })
  expect(EasyNetError.from('text', 'function_error')).toMatchObject({
    reason: 'function_error',
    message: 'text',
  })
})

test('from survives whatever a program throws', () => {
  const thrown = [undefined, null, Symbol('s'), 10n, Object.create(null), { toString: () => 1 / 0 }]
  const hostile = {
    toString() {
      throw new Error('no')
    },
  }
  for (const value of [...thrown, hostile]) {
    expect(EasyNetError.from(value)).toBeInstanceOf(EasyNetError)
    expect(typeof EasyNetError.from(value).message).toBe('string')
  }
})

test('an error of another copy of the package is still ours; a look-alike is not', () => {
  const other = { [Symbol.for('easynet.error')]: true, reason: 'cancelled' }
  expect(other instanceof EasyNetError).toBe(true)
  expect({ name: 'EasyNetError', reason: 'cancelled' } instanceof EasyNetError).toBe(false)
  expect((null as unknown) instanceof EasyNetError).toBe(false)
})

test('every error comes back from its data', () => {
  const reasons = Object.keys(REASONS) as (keyof typeof REASONS)[]
  for (const reason of reasons) {
    const error = new EasyNetError(reason, `about ${reason}`, { hint: 'h', details: { limit: 3 } })
    expect(EasyNetError.fromData(JSON.parse(JSON.stringify(error)))).toMatchObject(error.toJSON())
  }
})

test('an unknown or forged reason becomes internal, and the code cannot be chosen', () => {
  for (const reason of ['constructor', '__proto__', 'toString', 'new_reason', 7, null, undefined, {}]) {
    expect(EasyNetError.fromData({ reason, message: 'm' }).reason).toBe('internal')
  }
  expect(EasyNetError.fromData({ reason: 'cancelled', code: 'internal', message: '' }).code).toBe('cancelled')
})

test('texts of others are cut', () => {
  const long = 'x'.repeat(1_000_000)
  const error = EasyNetError.fromData({ reason: 'internal', message: long, hint: long })
  expect([error.message.length, error.hint?.length]).toEqual([2_000, 2_000])
})

test('details of others are kept while they are small, and left out when they are large or endless', () => {
  const detailsOf = (details: unknown) => EasyNetError.fromData({ reason: 'internal', details }).details
  expect(detailsOf({ limit: 3, names: ['a'] })).toEqual({ limit: 3, names: ['a'] })
  const endless: Record<string, unknown> = {}
  endless['self'] = endless
  for (const details of [{ text: 'x'.repeat(100_000) }, { list: Array(100_000).fill(0) }, endless, 'text'])
    expect(detailsOf(details)).toBeUndefined()
})

test('anything at all makes a valid error', () => {
  fc.assert(
    fc.property(fc.anything(), (data) => {
      const error = EasyNetError.fromData(data)
      expect(ERROR_CODES).toContain(error.code)
      expect(typeof error.message).toBe('string')
      expect(typeof error.retryable).toBe('boolean')
    }),
  )
})
