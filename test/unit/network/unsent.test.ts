import { expect, test, vi } from 'vitest'
import { UNSENT_PIECE_BYTES } from '../../../src/network/limits.ts'
import { createUnsentWatch } from '../../../src/network/unsent.ts'

/** A connection whose reader takes nothing until it is told to. */
function connection(watch: ReturnType<typeof createUnsentWatch>) {
  const events = new EventTarget()
  const stub = {
    isStuck: true,
    writeBufferLength: 0,
    addEventListener: events.addEventListener.bind(events) as never,
    send(data: { byteLength: number }) {
      if (!stub.isStuck) return true
      stub.writeBufferLength += data.byteLength
      return false
    },
    abort: vi.fn<(error: Error) => void>(() => void events.dispatchEvent(new Event('close'))),
    /** The reader has taken all but `left` bytes. */
    drain(left: number) {
      stub.writeBufferLength = left
      events.dispatchEvent(new Event('drain'))
    },
  }
  watch(stub)
  return stub
}

const kilobyte = new Uint8Array(1_024)
const perKilobyte = 1_024 + UNSENT_PIECE_BYTES

test('a connection is cut when more waits for its reader than is allowed', () => {
  const stuck = connection(createUnsentWatch({ maxBytes: 10 * perKilobyte }))
  for (let n = 0; n < 10; n += 1) stuck.send(kilobyte)
  expect(stuck.abort).not.toHaveBeenCalled()
  stuck.send(kilobyte)
  expect(stuck.abort.mock.calls).toMatchObject([[{ reason: 'peer_unreachable' }]])
})

test('small answers count as the memory that they take', () => {
  const stuck = connection(createUnsentWatch({ maxBytes: 100 * UNSENT_PIECE_BYTES }))
  for (let n = 0; n < 100; n += 1) stuck.send(new Uint8Array(1))
  expect(stuck.abort).toHaveBeenCalledOnce()
})

test('what the reader takes is free again', () => {
  const slow = connection(createUnsentWatch({ maxBytes: 10 * perKilobyte }))
  for (let round = 0; round < 100; round += 1) {
    for (let n = 0; n < 5; n += 1) slow.send(kilobyte)
    slow.drain(round % 2 === 0 ? 2_000 : 0)
  }
  slow.isStuck = false
  slow.send(kilobyte)
  slow.isStuck = true
  slow.writeBufferLength = 0
  for (let n = 0; n < 10; n += 1) slow.send(kilobyte)
  expect(slow.abort).not.toHaveBeenCalled()
})

test('when all together hold too much, the one that holds most is cut', () => {
  const watch = createUnsentWatch({ maxBytes: 1_000 * perKilobyte, maxBytesOfAll: 20 * perKilobyte })
  const [honest, greedy] = [connection(watch), connection(watch)]
  for (let n = 0; n < 5; n += 1) honest.send(kilobyte)
  for (let n = 0; n < 15; n += 1) greedy.send(kilobyte)
  expect(greedy.abort).not.toHaveBeenCalled()
  honest.send(kilobyte)
  expect([honest.abort.mock.calls.length, greedy.abort.mock.calls.length]).toEqual([0, 1])
  for (let n = 0; n < 13; n += 1) honest.send(kilobyte)
  expect(honest.abort).not.toHaveBeenCalled()
})
