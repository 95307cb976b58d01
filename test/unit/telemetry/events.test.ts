import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import type { NodeEvent } from '../../../src/model/views.ts'
import { createNodeEvents, type NodeEvents } from '../../../src/telemetry/events.ts'

const peer = { peerId: 'p', name: 'laptop' }

/** Reads `count` events, then stops following. */
async function read(events: NodeEvents, lastId: number | undefined, count: number): Promise<NodeEvent[]> {
  const seen: NodeEvent[] = []
  const abort = new AbortController()
  for await (const event of events.follow(lastId, abort.signal)) {
    seen.push(event)
    if (seen.length === count) abort.abort()
  }
  return seen
}
/** Ids begin at the time of the start, in thousandths of a millisecond. */
const CLOCK = { now: () => 5, monotonic: () => 0 }
const ids = (events: NodeEvent[]): number[] => events.map(({ id }) => id)

test('a reader gets what happens from now on', async () => {
  const events = createNodeEvents({ clock: CLOCK })
  events.draining()
  const reading = read(events, undefined, 2)
  events.peerConnected(peer, 'direct')
  events.functionRegistered('text.upper', '1.0.0')
  expect(await reading).toEqual([
    { id: 5_002, type: 'peer:connect', at: 5, data: { peer, path: 'direct' } },
    { id: 5_003, type: 'function:register', at: 5, data: { name: 'text.upper', version: '1.0.0' } },
  ])
})

test('a reader that comes back continues where it was', async () => {
  const events = createNodeEvents({ clock: CLOCK })
  for (let n = 0; n < 4; n += 1) events.draining()
  expect(ids(await read(events, 5_002, 2))).toEqual([5_003, 5_004])
  const all = await read(events, 0, 4)
  expect(ids(all)).toEqual([5_001, 5_002, 5_003, 5_004])
  expect(all.map(({ data }) => data)).toEqual([{}, {}, {}, {}])
})

test('after a restart a reader with an id of the old daemon gets all that is kept', async () => {
  const old = createNodeEvents({ clock: CLOCK })
  old.draining()
  const [last] = await read(old, 0, 1)
  const events = createNodeEvents({ clock: { ...CLOCK, now: () => 6 } })
  for (let n = 0; n < 3; n += 1) events.draining()
  // As many or more have happened since: their number alone would not tell the two daemons apart.
  const all = [6_001, 6_002, 6_003]
  expect(ids(await read(events, last?.id, 3))).toEqual(all)
  expect(ids(await read(events, 900_000, 3))).toEqual(all)
})

test('a slow reader loses the oldest events and learns how many', async () => {
  const events = createNodeEvents({ capacity: 3, clock: CLOCK })
  const abort = new AbortController()
  const reader = events.follow(undefined, abort.signal)[Symbol.asyncIterator]()
  for (let n = 0; n < 10; n += 1) events.functionUnregistered(`f${n}`)
  expect((await reader.next()).value).toMatchObject({ id: 5_008, data: { name: 'f7', missed: 7 } })
  expect((await reader.next()).value).toEqual({
    id: 5_009,
    type: 'function:unregister',
    at: expect.any(Number),
    data: { name: 'f8' },
  })
  abort.abort()
  expect((await reader.next()).done).toBe(true)
})

test('an abort ends a waiting reader and leaves no listener behind', async () => {
  const events = createNodeEvents()
  const abort = new AbortController()
  const reading = Array.fromAsync(events.follow(undefined, abort.signal))
  for (let n = 0; n < 50; n += 1) {
    events.draining()
    await new Promise(setImmediate)
  }
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1)
  abort.abort()
  expect(await reading).toHaveLength(50)
  expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
})

test('of a device that offers many functions the first are told, and how many there are', async () => {
  const events = createNodeEvents()
  const reading = read(events, undefined, 1)
  events.peerFunctions(
    peer,
    Array.from({ length: 512 }, (_, n) => `f${n}`),
  )
  const [event] = await reading
  expect(event?.data).toMatchObject({
    count: 512,
    functions: expect.arrayContaining(['f0', 'f63']) as unknown,
  })
  expect(event?.data['functions']).toHaveLength(64)
})
