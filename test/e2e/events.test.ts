import { expect, onTestFinished, test } from 'vitest'
import { eventsOf, type ServerEvent } from '../integration/api/support/sse.ts'
import { connect } from '../../src/sdk/index.ts'
import { type Daemon, removeHome, startDaemon, temporaryHome } from './support/daemon.ts'

/** A reader of `GET /v1/events` of a real daemon. */
async function watch(daemon: Daemon, lastEventId?: string) {
  const connection = new AbortController()
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const response = await daemon.fetch('/v1/events', { headers, signal: connection.signal })
  expect(response.status).toBe(200)
  const events = eventsOf(response)
  return {
    /** The next `count` events. */
    async next(count: number): Promise<ServerEvent[]> {
      const seen: ServerEvent[] = []
      while (seen.length < count) {
        const { value } = await events.next()
        if (value === undefined) throw new Error(`the stream ended after ${seen.length} of ${count} events`)
        seen.push(value)
      }
      return seen
    },
    /** Breaks the connection, as a network does. */
    cut: () => connection.abort(),
  }
}

const idsOf = (events: ServerEvent[]): number[] => events.map(({ id }) => Number(id))
const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, n) => first + n)
const namesOf = (events: ServerEvent[]): unknown[] =>
  events.map(({ event, data }) => [event, (data as { data: { name?: string } }).data.name])

test('a reader whose connection breaks gets what happened since: nothing is lost, nothing comes twice', async () => {
  await using daemon = await startDaemon()
  await using program = await connect({ home: daemon.home })
  const reader = await watch(daemon)
  await program.register('one', () => 1)
  const [first] = await reader.next(1)
  expect(namesOf([first as ServerEvent])).toEqual([['function:register', 'one']])
  reader.cut()
  await program.register('two', () => 2)
  await program.register('three', () => 3)
  const again = await watch(daemon, first?.id)
  await program.register('four', () => 4)
  const rest = await again.next(3)
  again.cut()
  expect(namesOf(rest)).toEqual(['two', 'three', 'four'].map((name) => ['function:register', name]))
  expect(idsOf(rest)).toEqual(from(Number(first?.id) + 1, 3))

  const now = await watch(daemon)
  await program.register('five', () => 5)
  expect(namesOf(await now.next(1))).toEqual([['function:register', 'five']])
  now.cut()
})

test('what is not kept any more is counted', async () => {
  await using daemon = await startDaemon()
  await using program = await connect({ home: daemon.home })
  const all = await watch(daemon, '0')
  await program.register('f', () => null)
  const [first] = await all.next(1)
  // A call is four events: this device is caller and provider.
  const calls = 300
  for (let n = 0; n < calls; n += 1) await program.call('f', [])
  const live = await all.next(4 * calls)
  all.cut()
  expect(idsOf(live)).toEqual(from(Number(first?.id) + 1, 4 * calls))
  const newest = Number(live.at(-1)?.id)

  const late = await watch(daemon, first?.id)
  const kept = await late.next(1_024)
  late.cut()
  expect(idsOf(kept)).toEqual(from(newest - 1_023, 1_024))
  expect(kept.map(({ data }) => (data as { data: { missed?: number } }).data.missed)).toEqual([
    newest - 1_024 - Number(first?.id),
    ...Array.from({ length: 1_023 }, () => undefined),
  ])
})

test('after a restart a reader gets everything of the new run, however much has happened in it', async () => {
  const home = temporaryHome()
  onTestFinished(() => removeHome(home))
  const before = await startDaemon({ home })
  const old = await connect({ home })
  const reader = await watch(before)
  await old.register('before', () => null)
  const [last] = await reader.next(1)
  await before.kill()
  await old.close()
  await using daemon = await startDaemon({ home })
  await using program = await connect({ home })
  for (const name of ['a', 'b', 'c']) await program.register(name, () => null)
  const again = await watch(daemon, last?.id)
  const events = await again.next(3)
  again.cut()
  expect(namesOf(events)).toEqual(['a', 'b', 'c'].map((name) => ['function:register', name]))
  expect(idsOf(events)[0]).toBeGreaterThan(Number(last?.id))
  expect(events.map(({ data }) => (data as { data: object }).data)).toEqual(
    ['a', 'b', 'c'].map((name) => ({ name, version: '1.0.0' })),
  )
})

test('anything but the id of an event is refused', async () => {
  await using daemon = await startDaemon()
  for (const id of ['x', '-1', '1.5', '0x1', '1e3', '1 2']) {
    const response = await daemon.fetch('/v1/events', { headers: { 'last-event-id': id } })
    expect([id, response.status]).toEqual([id, 400])
    expect(await response.text()).toContain('the id of an event')
  }
})
