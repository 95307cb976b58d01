import type { LoggedCall } from '../../../src/model/call.ts'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type CallLog, createCallLog } from '../../../src/storage/call-log.ts'
import { openNodeDatabases } from '../../../src/storage/node-databases.ts'
import { tempDir } from './temp-dir.ts'

function openIn(dir: string): CallLog {
  const databases = openNodeDatabases({ stateDir: dir, databaseFile: join(dir, 'easynet.db') })
  onTestFinished(() => databases[Symbol.dispose]())
  return createCallLog(databases.main)
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
  await log.put(record('older', { startedAt: 5 }))
  expect(log.recent(3).map(({ id }) => id)).toEqual(['c', 'b', 'a'])
  expect(log.running().map(({ id }) => id)).toEqual(['older', 'b'])
})

test('keeps the newest records and every running one', async () => {
  const log = openIn(tempDir())
  for (let n = 0; n < 10; n += 1)
    await log.put(record(String(n), { startedAt: n, state: n === 1 ? 'running' : 'done' }))
  log.prune(3)
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
