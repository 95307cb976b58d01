import { expect, test } from 'vitest'
import {
  advertisedFunctionSchema,
  FUNCTION_NAME,
  functionOptionsSchema,
  MAX_SCHEMA_BYTES,
} from '../../../src/model/function.ts'

test.each(['f', '_x', 'text.upper', 'a:b-c_1', '图像.缩放', 'é', 'x'.repeat(128)])('%s is a name', (name) => {
  expect(FUNCTION_NAME.test(name)).toBe(true)
})

test.each(['', '1f', '.f', 'a b', 'a/b', 'a@1', 'a\n', 'a\0', '-a', 'x'.repeat(129), '\u202Ea'])(
  '%j is no name',
  (name) => {
    expect(FUNCTION_NAME.test(name)).toBe(false)
  },
)

test('a name alone is enough; the rest has defaults', () => {
  expect(functionOptionsSchema.parse({ name: 'f' })).toEqual({
    name: 'f',
    version: '1.0.0',
    description: '',
    stream: false,
    clientStream: false,
    idempotent: false,
    timeoutMs: 300_000,
    maxConcurrent: 64,
    maxQueue: 256,
    access: 'members',
    price: '0',
    tags: [],
  })
})

test.each([
  ['an unknown key', { maxConcurent: 1 }],
  ['a version that is not semantic', { version: '1.0' }],
  ['a price below zero', { price: '-1' }],
  ['a price in scientific form', { price: '1e3' }],
  ['no place at all', { maxConcurrent: 0 }],
  ['a timeout over a day', { timeoutMs: 86_400_001 }],
  ['a timeout with a fraction', { timeoutMs: 1.5 }],
  ['quality over 1', { quality: 1.1 }],
  ['an unknown access', { access: 'everybody' }],
  ['a schema that is too long', { input: { description: 'x'.repeat(MAX_SCHEMA_BYTES) } }],
  ['a schema that is no object', { input: 'string' }],
])('%s is refused', (_, options) => {
  expect(functionOptionsSchema.safeParse({ name: 'f', ...options }).success).toBe(false)
})

test('an advert of a newer version with fields that we do not know is read', () => {
  const fn = advertisedFunctionSchema.parse({ name: 'f', energyWatts: 3 })
  expect(fn).toMatchObject({ name: 'f', energyWatts: 3 })
  expect(fn).not.toHaveProperty('access')
})
