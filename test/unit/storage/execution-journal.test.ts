import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Database, openDatabase } from '../../../src/storage/database.ts'
import { createExecutionJournal, type ExecutionJournalInit } from '../../../src/storage/execution-journal.ts'
import { JOURNAL_MIGRATIONS } from '../../../src/storage/migrations.ts'
import { tempDir } from './temp-dir.ts'

function openAt(file: string): Database {
  const database = openDatabase(file, { migrations: JOURNAL_MIGRATIONS, synchronous: 'full' })
  onTestFinished(() => database.close())
  return database
}
function setUp(init: Partial<ExecutionJournalInit> = {}) {
  const database = openAt(join(tempDir(), 'journal.db'))
  const time = { now: 1_000 }
  const clock = { now: () => time.now, monotonic: () => time.now }
  const boot = (bootId: string) => createExecutionJournal(database, { bootId, clock, ...init })
  return { database, time, boot, journal: boot('boot-1') }
}
const call = { caller: 'peer-a', id: 'call-1', fn: 'text.upper' }
const failure = { code: 'unknown', reason: 'function_error', message: 'no', retryable: false } as const

test('a call starts once; the second time its record comes back', async () => {
  const { journal } = setUp()
  const both = await Promise.all([journal.start(call), journal.start({ ...call, fn: 'other' })])
  expect(both).toEqual(['started', { ...call, state: 'started', startedAt: 1_000, bootId: 'boot-1' }])
  expect(await journal.start({ ...call, caller: 'peer-b' })).toBe('started')
})

test('keeps how a call ended, with its result', async () => {
  const { journal, time } = setUp()
  await journal.start(call)
  time.now = 1_500
  await journal.finish(call.caller, call.id, { state: 'done', result: Uint8Array.of(1, 2) })
  expect(await journal.start(call)).toMatchObject({
    state: 'done',
    endedAt: 1_500,
    result: Uint8Array.of(1, 2),
  })
  await journal.start({ ...call, id: 'call-2' })
  await journal.finish(call.caller, 'call-2', { state: 'failed', error: failure })
  expect(journal.find(call.caller, 'call-2')).toMatchObject({ state: 'failed', error: failure })
})

test('a call ends once', async () => {
  const { journal } = setUp()
  await journal.start(call)
  await journal.finish(call.caller, call.id, { state: 'done' })
  const again = journal.finish(call.caller, call.id, { state: 'failed', error: failure })
  await expect(again).rejects.toMatchObject({ reason: 'unknown_call' })
  expect(journal.find(call.caller, call.id)?.state).toBe('done')
})

test('of a large result, or one too many, only the state is kept', async () => {
  const { journal } = setUp({ maxResultBytes: 10, maxKeptBytes: 15 })
  const finish = async (id: string, size: number): Promise<number | undefined> => {
    await journal.start({ ...call, id })
    await journal.finish(call.caller, id, { state: 'done', result: new Uint8Array(size) })
    return journal.find(call.caller, id)?.result?.length
  }
  expect([await finish('a', 11), await finish('b', 10), await finish('c', 6), await finish('d', 5)]).toEqual([
    undefined,
    10,
    undefined,
    5,
  ])
})

test('after a restart, what had not ended is interrupted', async () => {
  const { journal, boot } = setUp()
  await journal.start(call)
  await journal.start({ ...call, id: 'ended' })
  await journal.finish(call.caller, 'ended', { state: 'done' })
  const next = boot('boot-2')
  await next.start({ ...call, id: 'new' })
  expect(next.recover()).toBe(1)
  expect(await next.start(call)).toMatchObject({ state: 'interrupted', bootId: 'boot-1', endedAt: 1_000 })
  expect(next.find(call.caller, 'ended')?.state).toBe('done')
  expect(next.find(call.caller, 'new')?.state).toBe('started')
})

test('forgets the result first, then the call; never a running one', async () => {
  const { journal, time } = setUp({ keepMs: 100, keepStateMs: 1_000 })
  await journal.start({ ...call, id: 'running' })
  await journal.start(call)
  await journal.finish(call.caller, call.id, { state: 'done', result: Uint8Array.of(1) })
  time.now += 101
  journal.prune()
  expect(journal.find(call.caller, call.id)).toMatchObject({ state: 'done' })
  expect(journal.find(call.caller, call.id)).not.toHaveProperty('result')
  time.now += 1_000
  journal.prune()
  expect(journal.find(call.caller, call.id)).toBeUndefined()
  expect(journal.find(call.caller, 'running')?.state).toBe('started')
})

test('holds no more calls than it may', async () => {
  const { journal } = setUp({ maxRows: 3 })
  for (const id of ['1', '2', '3', '4', '5']) {
    await journal.start({ ...call, id })
    if (id !== '1') await journal.finish(call.caller, id, { state: 'done' })
  }
  journal.prune()
  expect(['1', '2', '3', '4', '5'].filter((id) => journal.find(call.caller, id))).toEqual([
    '1',
    '3',
    '4',
    '5',
  ])
})

test('every call that was acknowledged before a kill -9 is found after it', async () => {
  const file = join(tempDir(), 'journal.db')
  const acknowledged = new Map<string, 'started' | 'done'>()
  for (const boot of ['boot-1', 'boot-2', 'boot-3']) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'journal-child.ts'), file, boot], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    child.stdout.setEncoding('utf8')
    let text = ''
    child.stdout.on('data', (chunk: string) => {
      text += chunk
      if (text.length > 4_000) child.kill('SIGKILL')
    })
    await once(child, 'close')
    for (const line of text.split('\n').slice(0, -1)) {
      const [state, id] = line.split(' ') as ['started' | 'done', string]
      acknowledged.set(id, state)
    }
  }
  const journal = createExecutionJournal(openAt(file), { bootId: 'last' })
  journal.recover()
  const wrong = [...acknowledged].filter(([id, state]) => {
    const found = journal.find('peer', id)?.state
    return state === 'done' ? found !== 'done' : found !== 'done' && found !== 'interrupted'
  })
  expect(acknowledged.size).toBeGreaterThan(100)
  expect(wrong).toEqual([])
})
