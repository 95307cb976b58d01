import { expect, test } from 'vitest'
import { chooseEvicted, type Evictable } from '../../../src/topology/eviction.ts'

function peersOf(source: string, count: number, bytes = 100): Evictable[] {
  return Array.from({ length: count }, (_, i) => ({ peerId: `${source}-${i}`, source, bytes, lastSeenAt: i }))
}
const ids = (peers: readonly Evictable[]): string[] => peers.map(({ peerId }) => peerId)

test('the longest unseen go first', () => {
  expect(ids(chooseEvicted(peersOf('a', 5), 2, 0))).toEqual(['a-0', 'a-1'])
})

test('a peer that told of many pushes out its own, not those of others', () => {
  const evicted = chooseEvicted([...peersOf('honest', 3), ...peersOf('flooder', 100)], 97, 0)
  expect(ids(evicted).filter((id) => id.startsWith('honest'))).toEqual([])
})

test('large adverts count for more', () => {
  const evicted = chooseEvicted([...peersOf('small', 5), ...peersOf('large', 2, 200_000)], 0, 300_000)
  expect(ids(evicted)).toEqual(['large-0', 'large-1'])
})

test('it ends when nobody is left', () => {
  expect(chooseEvicted(peersOf('a', 2), 10, 1e9)).toHaveLength(2)
  expect(chooseEvicted([], 1, 1)).toEqual([])
})
