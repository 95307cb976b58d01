import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchSilence } from '../../../src/network/silence.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp() {
  const events = new EventTarget()
  const connection = {
    addEventListener: events.addEventListener.bind(events),
    abort: vi.fn<(error: Error) => void>(() => void events.dispatchEvent(new Event('close'))),
  }
  watchSilence(connection)
  return { connection, emit: (type: string) => void events.dispatchEvent(new Event(type)) }
}

test('a connection on which nothing comes in is cut within 5 s', () => {
  const { connection, emit } = setUp()
  vi.advanceTimersByTime(700)
  emit('message')
  vi.advanceTimersByTime(4_200)
  expect(connection.abort).not.toHaveBeenCalled()
  vi.advanceTimersByTime(800)
  expect(connection.abort).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})

test('any byte is a sign of life', () => {
  const { connection, emit } = setUp()
  for (let second = 0; second < 60; second += 4) {
    vi.advanceTimersByTime(4_000)
    emit('message')
  }
  expect(connection.abort).not.toHaveBeenCalled()
})

test('a closed connection is not watched any more', () => {
  const { connection, emit } = setUp()
  emit('close')
  expect(vi.getTimerCount()).toBe(0)
  vi.advanceTimersByTime(60_000)
  expect(connection.abort).not.toHaveBeenCalled()
})
