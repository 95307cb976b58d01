import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { fn, type FunctionDefinition, isFunctionDefinition, plainFunction } from '../../../src/sdk/fn.ts'
import type { CallContext, RunnableFunction } from '../../../src/sdk/function-types.ts'
import { functionsOf } from '../../../src/sdk/served-module.ts'

const ctx = { callId: 'c1' } as CallContext

async function run(
  definition: RunnableFunction,
  args: unknown[],
  kwargs: Record<string, unknown> = {},
): Promise<unknown> {
  return definition.check(await definition.invoke([...(await definition.bind(args, kwargs)), ctx]))
}

const area = fn('area', {
  input: z.object({ w: z.number(), h: z.number().default(2) }),
  output: z.number(),
  idempotent: true,
  run: ({ w, h }, { callId }) => (callId === 'c1' ? w * h : -1),
})

test('a schema checks the argument, fills defaults, and is shown as JSON Schema', async () => {
  expect(await run(area, [{ w: 3 }])).toBe(6)
  expect(await run(area, [], { w: 3, h: 1 })).toBe(3)
  expect(area.options).toMatchObject({ name: 'area', idempotent: true, output: { type: 'number' } })
  expect(area.options.input).toMatchObject({ type: 'object', required: ['w'] })
  expect(area.options).not.toHaveProperty('run')
})

test('the caller learns what is wrong with its argument', async () => {
  await expect(area.bind([{ w: 'x' }], {})).rejects.toMatchObject({
    reason: 'invalid_request',
    details: { fn: 'area', issues: [{ path: 'w', message: expect.any(String) as string }] },
  })
  await expect(area.bind([{ w: 1 }, 2], {})).rejects.toMatchObject({ reason: 'invalid_request' })
  await expect(area.bind([{ w: 1 }], { h: 2 })).rejects.toMatchObject({ reason: 'invalid_request' })
})

test('a result that the output schema refuses is an error', async () => {
  const wrong = fn('wrong', { output: z.string(), run: () => 1 })
  await expect(run(wrong, [])).rejects.toThrow('output schema refuses')
})

test('a plain JSON Schema is shown and checks nothing', async () => {
  const schema = { type: 'object', required: ['w'] }
  const loose = fn('loose', { input: schema, run: (input) => input })
  expect(loose.options.input).toEqual(schema)
  expect(await run(loose, ['anything'])).toBe('anything')
})

test('a schema that has no JSON Schema still checks', async () => {
  const upper = fn('upper', { input: z.instanceof(Uint8Array), run: (bytes) => bytes.length })
  expect(upper.options).not.toHaveProperty('input')
  expect(await run(upper, [new Uint8Array(3)])).toBe(3)
})

test('without a schema, run gets the arguments and then the context', async () => {
  const echo = fn('echo', { run: (...all: unknown[]) => all })
  expect(await run(echo, [])).toEqual([undefined, ctx])
  expect(await run(echo, ['a'])).toEqual(['a', ctx])
  expect(await run(echo, [], { a: 1 })).toEqual([{ a: 1 }, ctx])
})

test('a plain function gets positional arguments, then those by name, then the context', async () => {
  const all = plainFunction('all', (...given: unknown[]) => given)
  expect(await run(all, [])).toEqual([ctx])
  expect(await run(all, [1, 2])).toEqual([1, 2, ctx])
  expect(await run(all, [1], { b: 2 })).toEqual([1, { b: 2 }, ctx])
  expect(all.options).toEqual({ name: 'all' })
})

test('generator functions stream unless they say otherwise', () => {
  expect(plainFunction('g', function* () {}).options.stream).toBe(true)
  expect(plainFunction('g', async function* () {}).options.stream).toBe(true)
  expect(fn('g', { async *run() {} }).options.stream).toBe(true)
  expect(fn('g', { stream: false, async *run() {} }).options.stream).toBe(false)
})

test('callers see the types of the schemas', () => {
  expectTypeOf(area).toEqualTypeOf<FunctionDefinition<{ w: number; h?: number | undefined }, number>>()
  const stream = fn('s', {
    async *run() {
      yield 1
      return 'end'
    },
  })
  expectTypeOf(stream).toEqualTypeOf<FunctionDefinition<unknown, string>>()
})

test('a served file offers its exports', () => {
  const shout = (text: string): string => `${text}!`
  class Helper {
    size = 1
  }
  const names = functionsOf({ shout, area, Helper, LIMIT: 3, default: shout }, '/x/tools.ts')
  expect(names.map((definition) => definition.name)).toEqual(['shout', 'area'])
  expect(functionsOf({ default: shout }, '/x/tools.ts').map(({ name }) => name)).toEqual(['tools'])
  expect(isFunctionDefinition(area)).toBe(true)
  expect(isFunctionDefinition(shout)).toBe(false)
})
