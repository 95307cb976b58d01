import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pickProvider } from '../../../src/scheduler/pick.ts'
import type { Candidate } from '../../../src/scheduler/ports.ts'

function candidate(peerId: string, rttMs: number | null): Candidate {
  return { peer: { peerId, name: peerId }, path: 'direct', rttMs, streams: false, idempotent: false }
}
const idle = (): number => 0

test('nobody is picked from nobody', () => {
  expect(pickProvider([], idle)).toBeUndefined()
})

test('the nearest device is picked', () => {
  const near = candidate('near', 3)
  expect(pickProvider([candidate('far', 80), near, candidate('middle', 20)], idle)).toBe(near)
})

test('a device with fewer of our calls is picked before a nearer one', () => {
  const free = candidate('free', 80)
  const outstanding = (peerId: string): number => (peerId === 'busy' ? 1 : 0)
  expect(pickProvider([candidate('busy', 1), free], outstanding)).toBe(free)
})

test('a device whose distance is not known counts as far, not as unusable', () => {
  const unknown = candidate('unknown', null)
  const near = candidate('near', 30)
  expect(pickProvider([unknown, near], idle)).toBe(near)
  expect(pickProvider([unknown], idle)).toBe(unknown)
  expect(pickProvider([candidate('on the moon', 2_600), unknown], idle)).toBe(unknown)
})

test('of equal devices the first is picked', () => {
  const first = candidate('first', 5)
  expect(pickProvider([first, candidate('second', 5)], idle)).toBe(first)
})

test('nobody has fewer of our calls than the one that is picked', () => {
  const devices = fc.array(fc.record({ rttMs: fc.option(fc.nat(500)), calls: fc.nat(3) }), { minLength: 1 })
  fc.assert(
    fc.property(devices, (devices) => {
      const outstanding = (peerId: string): number => devices[Number(peerId)]!.calls
      const candidates = devices.map(({ rttMs }, index) => candidate(String(index), rttMs))
      const picked = pickProvider(candidates, outstanding)!
      expect(outstanding(picked.peer.peerId)).toBe(Math.min(...devices.map(({ calls }) => calls)))
    }),
  )
})
