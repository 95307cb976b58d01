import { expect, test, vi } from 'vitest'
import { createFunctionRegistry, type RegistryInit } from '../../../src/functions/registry.ts'
import { MAX_FUNCTIONS } from '../../../src/model/function.ts'

const runner = () => ({ run: async () => null })
function setUp() {
  const onChange = vi.fn<RegistryInit['onChange']>()
  return { registry: createFunctionRegistry({ onChange }), onChange }
}
const names = (registry: { list(): { name: string }[] }): string[] => registry.list().map(({ name }) => name)

test('a registered function is found with its defaults and its runner', () => {
  const { registry, onChange } = setUp()
  const mine = runner()
  const { functions } = registry.register([{ name: 'f', timeoutMs: 5 }], mine)
  expect(registry.find('f')).toEqual({ descriptor: functions[0], runner: mine })
  expect(functions[0]).toMatchObject({ name: 'f', timeoutMs: 5, maxConcurrent: 64 })
  expect(onChange).toHaveBeenCalledWith({ added: functions, removed: [] })
  expect(registry.find('g')).toBeUndefined()
})

test('all functions of a program are registered, or none', () => {
  const { registry, onChange } = setUp()
  expect(() => registry.register([{ name: 'good' }, { name: '1 bad' }], runner())).toThrow(
    expect.objectContaining({ reason: 'invalid_request', message: expect.stringContaining('name') }),
  )
  registry.register([{ name: 'taken' }], runner())
  expect(() => registry.register([{ name: 'free' }, { name: 'taken' }], runner())).toThrow(
    expect.objectContaining({ reason: 'function_exists' }),
  )
  expect(names(registry)).toEqual(['taken'])
  expect(onChange).toHaveBeenCalledTimes(1)
})

test('the same name twice in one request is refused', () => {
  expect(() => setUp().registry.register([{ name: 'f' }, { name: 'f' }], runner())).toThrow('"f"')
})

test('options that nobody knows are refused, so that a slip of the pen is not ignored', () => {
  const options = { name: 'f', maxConcurent: 1 } as { name: string }
  expect(() => setUp().registry.register([options], runner())).toThrow('maxConcurent')
})

test('a device offers no more functions than the limit', () => {
  const { registry } = setUp()
  registry.register(
    Array.from({ length: MAX_FUNCTIONS }, (_, i) => ({ name: `f${i}` })),
    runner(),
  )
  expect(() => registry.register([{ name: 'one_more' }], runner())).toThrow(
    expect.objectContaining({ reason: 'too_large' }),
  )
})

test('a program withdraws single functions, and the rest when it is gone', () => {
  const { registry, onChange } = setUp()
  const registration = registry.register([{ name: 'a' }, { name: 'b' }, { name: 'c' }], runner())
  registration.unregister('b')
  expect(names(registry)).toEqual(['a', 'c'])
  registration.unregister('b')
  expect(onChange).toHaveBeenCalledTimes(2)
  registration[Symbol.dispose]()
  expect(onChange).toHaveBeenLastCalledWith({ added: [], removed: ['a', 'c'] })
  expect(names(registry)).toEqual([])
})

test("a program cannot withdraw another program's functions", () => {
  const { registry } = setUp()
  const mine = registry.register([{ name: 'a' }], runner())
  registry.register([{ name: 'b' }], runner())
  mine.unregister('b')
  expect(names(registry)).toEqual(['a', 'b'])
})

test('what a program left behind does not withdraw its successor', () => {
  const { registry } = setUp()
  const first = registry.register([{ name: 'a' }], runner())
  first.unregister('a')
  registry.register([{ name: 'a' }], runner())
  first[Symbol.dispose]()
  expect(names(registry)).toEqual(['a'])
})
