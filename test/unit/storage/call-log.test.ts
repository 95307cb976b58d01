import type { LoggedCall } from '../../../src/model/call.ts'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type CallLog, type CallLogInit, createCallLog } from '../../../src/storage/call-log.ts'
import { openNodeDatabases } from '../../../src/storage/node-databases.ts'
import { tempDir } from './temp-dir.ts'

function openIn(dir: string, init: CallLogInit = {}): CallLog {
  const databases = openNodeDatabases({ stateDir: dir, databaseFile: join(dir, 'easynet.db') })
  onTestFinished(() => databases[Symbol.dispose]())
  return createCallLog(databases.main, init)
}
const record = (id: string, more: Partial<LoggedCall> = {}): LoggedCall => ({
  id,
  fn: 'text.upper',
  state: 'running',
  startedAt: 1_000,
  ...more,
})

test('a record is found at once, by id and by key, and replaced as the call goes on', async () => {
  const log = openIn(tempDir())
  const first = log.put(record('1', { key: 'mine' }))
  expect(log.findByKey('mine')).toEqual(record('1', { key: 'mine' }))
  const error = { code: 'unknown', reason: 'function_error', message: 'no', retryable: false } as const
  const ended = record('1', {
    key: 'mine',
    peerId: 'p',
    peerName: 'n',
    state: 'failed',
    endedAt: 1_200,
    error,
  })
  await Promise.all([first, log.put(ended)])
  expect(log.find('1')).toEqual(ended)
  expect(log.find('2')).toBeUndefined()
})

test('lists the newest first, and the running ones', async () => {
  const log = openIn(tempDir())
  for (const id of ['a', 'b', 'c']) await log.put(record(id, { state: id === 'b' ? 'running' : 'done' }))
  // The wall clock was set back meanwhile: it is among the newest, and shown with its time.
  await log.put(record('newest', { startedAt: 5 }))
  expect(log.recent(3).map(({ id }) => id)).toEqual(['c', 'b', 'newest'])
  expect(log.running().map(({ id }) => id)).toEqual(['newest', 'b'])
})

test('keeps the newest records and every running one', async () => {
  const log = openIn(tempDir(), { maxRows: 3 })
  for (let n = 0; n < 10; n += 1)
    await log.put(record(String(n), { startedAt: n, state: n === 1 ? 'running' : 'done' }))
  expect(log.prune()).toBe(false)
  expect(log.recent(100).map(({ id }) => id)).toEqual(['9', '8', '7', '1'])
})

test('is there after a restart', async () => {
  const dir = tempDir()
  const databases = openNodeDatabases({ stateDir: dir, databaseFile: join(dir, 'easynet.db') })
  void createCallLog(databases.main).put(record('1'))
  databases[Symbol.dispose]()
  expect(openIn(dir).running()).toEqual([record('1')])
})

test('a note is found at once, like any record', () => {
  const log = openIn(tempDir())
  log.note(record('1', { key: 'mine' }))
  expect(log.find('1')).toEqual(record('1', { key: 'mine' }))
  expect(log.findByKey('mine')?.id).toBe('1')
  log.note(record('1', { state: 'done' }))
  log.note(record('2'))
  expect(log.find('1')?.state).toBe('done')
  expect(log.running().map(({ id }) => id)).toEqual(['2'])
  expect(log.recent(5)).toHaveLength(2)
})

test('notes are on disk a little later, in the order of records that were put', async () => {
  const dir = tempDir()
  const log = openIn(dir)
  log.note(record('1'))
  log.note(record('2'))
  await log.put(record('2', { state: 'done' }))
  log.note(record('3'))
  await new Promise((resolve) => setTimeout(resolve, 100))
  const copy = openIn(dir)
  expect(copy.recent(5).map(({ id, state }) => `${id} ${state}`)).toEqual([
    '3 running',
    '2 done',
    '1 running',
  ])
})

test('notes that wait are written at the end', () => {
  const dir = tempDir()
  const databases = openNodeDatabases({ stateDir: dir, databaseFile: join(dir, 'easynet.db') })
  const log = createCallLog(databases.main)
  log.note(record('1'))
  log[Symbol.dispose]()
  databases[Symbol.dispose]()
  expect(openIn(dir).running()).toEqual([record('1')])
})

test('a call that runs is on disk after a moment; of those that ended meanwhile the newest are', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const dir = tempDir()
  const databases = openNodeDatabases({ stateDir: dir, databaseFile: join(dir, 'easynet.db') })
  onTestFinished(() => databases[Symbol.dispose]())
  const log = createCallLog(databases.main)
  const rows = (): unknown[] => databases.main.prepare('SELECT id, state FROM calls ORDER BY id').all()
  const long = record('long')
  log.note(long)
  for (let n = 1_000; n < 4_000; n += 1) {
    const quick = record(String(n), { startedAt: n })
    log.note(quick)
    quick.state = 'done'
    log.note(quick)
  }
  vi.advanceTimersByTime(20)
  expect(rows()).toEqual([{ id: 'long', state: 'running' }])
  long.state = 'done'
  log.note(long)
  vi.advanceTimersByTime(20)
  expect(rows()).toEqual([{ id: 'long', state: 'done' }])
  // Memory still has what the disk will never see.
  expect(log.find('1000')?.state).toBe('done')
  expect(log.recent(5_000)).toHaveLength(3_001)
  vi.advanceTimersByTime(1_000)
  expect(rows()).toHaveLength(1_001)
  expect(rows()[0]).toEqual({ id: '3000', state: 'done' })
})

test('memory has the newest ended calls and no more', () => {
  const log = openIn(tempDir())
  for (let n = 0; n < 30_000; n += 1) log.note(record(String(n), { state: 'done', startedAt: n }))
  expect(log.find('29999')).toBeDefined()
  expect(log.find('20000')).toBeDefined()
  expect(log.find('19999')).toBeUndefined()
})

test('while the disk is full notes wait and are found, and what must be on disk is refused', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const dir = tempDir()
  const databases = openNodeDatabases({ stateDir: dir, databaseFile: join(dir, 'easynet.db') })
  onTestFinished(() => databases[Symbol.dispose]())
  const disk = { isFull: true }
  using log = createCallLog(databases.main, { disk })
  const stored = () => databases.main.prepare('SELECT count(*) AS n FROM calls').get()?.['n']
  await expect(log.put(record('0', { key: 'k' }))).rejects.toMatchObject({ reason: 'storage_failed' })
  log.note(record('1'))
  log.note(record('2'))
  vi.advanceTimersByTime(5_000)
  log.note(record('2', { state: 'done', endedAt: 2_000 }))
  vi.advanceTimersByTime(5_000)
  expect(stored()).toBe(0)
  expect(log.find('1')?.state).toBe('running')
  expect(log.recent(9).map(({ id, state }) => [id, state])).toEqual(
    expect.arrayContaining([
      ['1', 'running'],
      ['2', 'done'],
    ]),
  )
  expect(log.running().map(({ id }) => id)).toEqual(['1'])
  disk.isFull = false
  vi.advanceTimersByTime(1_000)
  expect(stored()).toBe(2)
  expect(log.find('2')?.state).toBe('done')
})

test('the newest record of a key is found, also when the wall clock was set back since the last one', async () => {
  const log = openIn(tempDir())
  await log.put(record('refused', { key: 'mine', startedAt: 9_000, state: 'failed' }))
  await log.put(record('ran', { key: 'mine', startedAt: 1_000, state: 'done' }))
  expect(log.findByKey('mine')?.id).toBe('ran')
})

test('whatever comes, running calls and keys of the last day stay, and the rest is bounded', () => {
  const HOUR_MS = 3_600_000
  const step = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ kind: fc.constant('call' as const), keyed: fc.boolean(), runs: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(5 * HOUR_MS) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('clock' as const),
        aheadMs: fc.integer({ min: -HOUR_MS / 2, max: HOUR_MS / 2 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('prune' as const) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
      using databases = openNodeDatabases({
        stateDir: tempDir(),
        databaseFile: join(tempDir(), 'easynet.db'),
      })
      const time = { ms: 100 * HOUR_MS, aheadMs: 0 }
      const clock = { now: () => time.ms + time.aheadMs, monotonic: () => time.ms }
      const limits = { maxRows: 5, maxKeyedRows: 30, pruneRows: 3 }
      const log = createCallLog(databases.main, { clock, ...limits })
      const made: { id: string; keyed: boolean; runs: boolean; at: number }[] = []
      for (const todo of steps) {
        if (todo.kind === 'time') time.ms += todo.ms
        else if (todo.kind === 'clock') time.aheadMs = todo.aheadMs
        else if (todo.kind === 'call') {
          const id = String(made.length)
          made.push({ id, keyed: todo.keyed, runs: todo.runs, at: time.ms })
          const state = todo.runs ? 'running' : 'done'
          log.note(record(id, { state, startedAt: clock.now(), ...(todo.keyed ? { key: `key ${id}` } : {}) }))
        } else {
          log.running()
          while (log.prune());
          const kept = databases.main.prepare('SELECT id FROM calls').all()
          const isKept = ({ id }: { id: string }): boolean => kept.some((row) => row['id'] === id)
          const keyed = made.filter((call) => call.keyed)
          const wanted = made.filter(
            (call) =>
              call.runs ||
              (keyed.slice(-limits.maxKeyedRows).includes(call) && time.ms - call.at < 24 * HOUR_MS),
          )
          // The clock may have put some of the newest keys before others.
          if (keyed.length <= limits.maxKeyedRows) expect(wanted.filter((call) => !isKept(call))).toEqual([])
          expect(made.filter((call) => call.runs && !isKept(call))).toEqual([])
          const ended = made.filter((call) => !call.runs && isKept(call))
          expect(ended.filter((call) => !call.keyed).length).toBeLessThanOrEqual(limits.maxRows)
          expect(ended.filter((call) => call.keyed).length).toBeLessThanOrEqual(limits.maxKeyedRows)
        }
      }
    }),
    { numRuns: 10 },
  )
})
