import { Writable } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { createTurnWriter } from '../../../src/util/turn-writer.ts'

afterEach(() => vi.useRealTimers())

/** A stream that notes what each write brought. */
function sink(): { socket: Writable; writes: string[] } {
  const writes: string[] = []
  const socket = new Writable({
    decodeStrings: false,
    write(part: string | Buffer, _encoding, done) {
      writes.push(String(part))
      done()
    },
  })
  return { socket, writes }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what one turn has to say is one write, promises and all', async () => {
  const { socket, writes } = sink()
  const writer = createTurnWriter(socket)
  writer.write('a', [Buffer.from('b')])
  void Promise.resolve()
    .then(() => {})
    .then(() => writer.write('c', []))
  expect(writes).toEqual([])
  expect(writer.waitingBytes).toBe(2)
  await turn()
  expect(writes).toEqual(['abc'])
  expect(writer.waitingBytes).toBe(0)
  writer.write('d', [])
  await turn()
  expect(writes).toEqual(['abc', 'd'])
})

test('what is in no hurry leaves in front of the next write', async () => {
  const { socket, writes } = sink()
  const writer = createTurnWriter(socket, { patienceMs: 60_000 })
  writer.writeLater('a')
  await turn()
  expect(writes).toEqual([])
  writer.write('b', [])
  writer.writeLater('c')
  await turn()
  expect(writes).toEqual(['abc'])
})

test('nothing waits longer than the patience, whatever came in time before it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { socket, writes } = sink()
  const writer = createTurnWriter(socket, { patienceMs: 5 })
  writer.writeLater('a')
  vi.advanceTimersByTime(4)
  writer.write('b', [])
  await turn()
  writer.writeLater('c')
  writer.writeLater('d')
  vi.advanceTimersByTime(4)
  expect(writes).toEqual(['ab'])
  vi.advanceTimersByTime(1)
  expect(writes).toEqual(['ab', 'cd'])
  writer.writeLater('e')
  vi.advanceTimersByTime(5)
  expect(writes).toEqual(['ab', 'cd', 'e'])
})

test('flush writes now; a stream that has ended gets nothing more', async () => {
  const { socket, writes } = sink()
  let flushed = 0
  const writer = createTurnWriter(socket, { onFlushed: () => (flushed += 1) })
  writer.write('a', [])
  writer.flush()
  expect(writes).toEqual(['a'])
  await turn()
  expect(flushed).toBe(1)
  socket.end()
  writer.write('b', [])
  await turn()
  expect([writes, writer.waitingBytes]).toEqual([['a'], 0])
})
