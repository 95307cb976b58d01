import { expect, test } from 'vitest'
import { Client, ComputeNode, remote } from '../../../src/sdk/index.ts'
import { eventually } from '../support/eventually.ts'
import { startDevice } from './support/device.ts'

test('the names that EasyRemote users know', async () => {
  await using device = await startDevice()
  const at = { home: device.home }
  function add(a: number, b: number): number {
    return a + b
  }
  const node = new ComputeNode(at).register(add).register('count', function* (n: number) {
    for (let i = 0; i < n; i++) yield i
  })
  const serving = node.serve()
  await eventually(() => device.server().node.runners.size === 2)
  await using client = new Client(at)
  expect(await client.execute('add', 1, 2)).toBe(3)
  expect(await client.executeOnNode('stub', 'add', 1, 2)).toBe(3)
  const items = []
  for await (const item of client.stream('count', 3)) items.push(item)
  expect(items).toEqual([0, 1, 2])
  expect(await remote<typeof add>('add', {}, client)(2, 3)).toBe(5)
  expect((await client.listFunctions()).map(({ name }) => name).sort()).toEqual(['add', 'count'])
  expect(await client.listNodes()).toMatchObject([{ name: 'stub' }])
  expect(() => node.register('late', add)).toThrow('before serve()')
  await node.close()
  await serving
  await eventually(() => device.server().node.runners.size === 0)
})
