import { expect, test, vi } from 'vitest'
import { createHalfOpen } from '../../../src/network/half-open.ts'

function opening(host: string) {
  const events = new EventTarget()
  return {
    remoteAddr: `/ip4/${host}/tcp/1` as never,
    addEventListener: events.addEventListener.bind(events) as never,
    abort: vi.fn<(error: Error) => void>(() => void events.dispatchEvent(new Event('close'))),
  }
}

test('when too many are half open, the oldest of the host that has most makes room', () => {
  const halfOpen = createHalfOpen(4)
  const attacker = Array.from({ length: 3 }, () => opening('10.0.0.9'))
  const honest = Array.from({ length: 3 }, (_, index) => opening(`10.0.0.${index}`))
  halfOpen.begin(honest[0] as never)
  for (const connection of attacker) halfOpen.begin(connection)
  halfOpen.begin(honest[1] as never)
  halfOpen.begin(honest[2] as never)
  expect(attacker.map(({ abort }) => abort.mock.calls.length)).toEqual([1, 1, 0])
  expect(honest.map(({ abort }) => abort.mock.calls.length)).toEqual([0, 0, 0])
})

test('those that have proved who they are, or are gone, take no place', () => {
  const halfOpen = createHalfOpen(2)
  const first = opening('10.0.0.1')
  const second = opening('10.0.0.1')
  halfOpen.begin(first)
  halfOpen.begin(second)
  halfOpen.end(first)
  second.abort(new Error('gone'))
  halfOpen.begin(opening('10.0.0.1'))
  halfOpen.begin(opening('10.0.0.1'))
  expect(first.abort).not.toHaveBeenCalled()
  expect(second.abort).toHaveBeenCalledOnce()
})
