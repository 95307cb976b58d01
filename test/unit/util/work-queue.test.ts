import { expect, test } from 'vitest'
import { createWorkQueue } from '../../../src/util/work-queue.ts'

function setUp(maxRunning: number, maxRunningPerSource: number, maxWaitingPerSource: number) {
  const queue = createWorkQueue({ maxRunning, maxRunningPerSource, maxWaitingPerSource })
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const offer = (name: string): boolean =>
    queue.offer(name.split('-')[0] ?? '', async () => {
      started.push(name)
      await new Promise<void>((resolve) => ends.set(name, resolve))
    })
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { offer, end, started }
}

test('work runs at once while there is room', () => {
  const { offer, started } = setUp(2, 2, 0)
  expect([offer('a-1'), offer('b-1')]).toEqual([true, true])
  expect(started).toEqual(['a-1', 'b-1'])
})

test('what does not fit waits, and what cannot wait is dropped', async () => {
  const { offer, end, started } = setUp(1, 1, 1)
  expect([offer('a-1'), offer('a-2'), offer('a-3')]).toEqual([true, true, false])
  await end('a-1')
  expect(started).toEqual(['a-1', 'a-2'])
  expect(offer('a-4')).toBe(true)
})

test('one source cannot take all places', () => {
  const { offer, started } = setUp(3, 2, 9)
  for (const name of ['a-1', 'a-2', 'a-3', 'b-1']) offer(name)
  expect(started).toEqual(['a-1', 'a-2', 'b-1'])
})

test('waiting sources take turns', async () => {
  const { offer, end, started } = setUp(1, 1, 9)
  for (const name of ['a-1', 'a-2', 'a-3', 'b-1', 'c-1']) offer(name)
  for (const name of ['a-1', 'a-2', 'b-1', 'c-1']) await end(name)
  expect(started).toHaveLength(5)
  expect(started.indexOf('a-3')).toBeGreaterThan(started.indexOf('b-1'))
  expect(started.indexOf('a-3')).toBeGreaterThan(started.indexOf('c-1'))
})

test('everything that was accepted runs in the end', async () => {
  const { offer, end, started } = setUp(2, 1, 5)
  const names = ['a-1', 'a-2', 'a-3', 'b-1', 'b-2', 'c-1', 'd-1']
  for (const name of names) expect(offer(name)).toBe(true)
  for (let i = 0; i < names.length; i++) await end(started[i] ?? '')
  expect([...started].sort()).toEqual(names)
})
