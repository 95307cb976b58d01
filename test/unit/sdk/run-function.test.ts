import { expect, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import { drive, errorOfFunction } from '../../../src/sdk/attach/run-function.ts'
import { type PlainFunction, plainFunction, type PlainOptions } from '../../../src/sdk/fn.ts'

const idle = { reason: undefined }

async function collect(
  run: PlainFunction,
  options: PlainOptions = {},
): Promise<{ chunks: unknown[]; result: unknown }> {
  const chunks: unknown[] = []
  const result = await drive(
    plainFunction('f', run, options),
    [],
    idle,
    async (chunk) => void chunks.push(chunk),
  )
  return { chunks, result }
}

test('values, promises, generators and what streams say', async () => {
  expect(await collect(() => 1)).toEqual({ chunks: [], result: 1 })
  expect(await collect(async () => [1])).toEqual({ chunks: [], result: [1] })
  const sync = function* () {
    yield 1
    yield 2
    return 'end'
  }
  expect(await collect(sync)).toEqual({ chunks: [1, 2], result: 'end' })
  const asynchronous = async function* () {
    yield 1
  }
  expect(await collect(asynchronous)).toEqual({ chunks: [1], result: undefined })
  expect(await collect(() => asynchronous())).toEqual({ chunks: [1], result: undefined })
  expect(await collect(() => [1, 2], { stream: true })).toEqual({ chunks: [1, 2], result: undefined })
})

test('a generator is closed when its chunk cannot be sent', async () => {
  let closed = false
  const source = function* () {
    try {
      yield 1
    } finally {
      closed = true
    }
  }
  const failing = drive(plainFunction('f', source), [], idle, () => Promise.reject(new Error('full')))
  await expect(failing).rejects.toThrow('full')
  expect(closed).toBe(true)
})

test('a cancelled generator yields nothing more', async () => {
  const deadline: { reason: EasyNetError | undefined } = { reason: undefined }
  const chunks: unknown[] = []
  const source = function* () {
    yield 1
    yield 2
  }
  const running = drive(plainFunction('f', source), [], deadline, async (chunk) => {
    chunks.push(chunk)
    deadline.reason = new EasyNetError('cancelled', 'enough')
  })
  await expect(running).rejects.toMatchObject({ reason: 'cancelled' })
  expect(chunks).toEqual([1])
})

test('what a function throws becomes function_error with name and message, and no stack', () => {
  const error = errorOfFunction(new TypeError('bad pixel'), idle).toJSON()
  expect(error).toEqual({
    code: 'unknown',
    reason: 'function_error',
    message: 'bad pixel',
    retryable: false,
    details: { name: 'TypeError' },
  })
  expect(errorOfFunction('text', idle)).toMatchObject({ message: 'text', details: { name: 'string' } })
})

test('a failed nested call does not make this call look retryable', () => {
  const nested = new EasyNetError('no_provider', 'Nobody offers it.')
  expect(errorOfFunction(nested, idle)).toMatchObject({
    reason: 'function_error',
    retryable: false,
    details: { reason: 'no_provider' },
  })
})

test('after a cancel the answer says so', () => {
  const reason = new EasyNetError('deadline_exceeded', 'late')
  expect(errorOfFunction(new Error('stopped'), { reason })).toMatchObject({ reason: 'deadline_exceeded' })
})
