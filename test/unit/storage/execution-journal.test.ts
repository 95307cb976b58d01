import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { type Database, openDatabase } from '../../../src/storage/database.ts'
import { createExecutionJournal, type ExecutionJournalInit } from '../../../src/storage/execution-journal.ts'
import { JOURNAL_MIGRATIONS } from '../../../src/storage/migrations.ts'
import { tempDir } from './temp-dir.ts'

function openAt(file: string, synchronous: 'full' | 'normal' = 'full'): Database {
  const database = openDatabase(file, { migrations: JOURNAL_MIGRATIONS, synchronous })
  onTestFinished(() => database.close())
  return database
}
function setUp(init: Partial<ExecutionJournalInit> = {}, synchronous?: 'full' | 'normal') {
  const database = openAt(join(tempDir(), 'journal.db'), synchronous)
  const time = { now: 1_000, wallAheadMs: 0 }
  const clock = { now: () => time.now + time.wallAheadMs, monotonic: () => time.now }
  const boot = (bootId: string) => createExecutionJournal(database, { bootId, clock, ...init })
  return { database, time, boot, journal: boot('boot-1') }
}
const HOUR_MS = 3_600_000
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

test('a journal that gave up calls before their time does not say that it remembers them, after a restart neither', async () => {
  const { journal, boot, time } = setUp({ maxRows: 2 })
  const run = async (id: string): Promise<void> => {
    await journal.start({ ...call, id })
    await journal.finish(call.caller, id, { state: 'done' })
    time.now += 2 * HOUR_MS
  }
  for (const id of ['1', '2', '3', '4']) await run(id)
  expect(journal.remembers(8 * HOUR_MS)).toBe(true)
  journal.prune()
  // 2 started 6 hours ago, 3 four hours ago.
  for (const after of [journal, boot('boot-2')]) {
    expect(after.find(call.caller, '2')).toBeUndefined()
    expect(after.remembers(6 * HOUR_MS)).toBe(false)
    expect(after.remembers(4 * HOUR_MS)).toBe(true)
  }
})

test('whatever comes, no call that the journal says to remember was pruned, and no running one', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('start' as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('finish' as const), which: fc.nat(5), bytes: fc.nat(20) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(3 * HOUR_MS) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('clock' as const),
        aheadMs: fc.integer({ min: -HOUR_MS / 2, max: HOUR_MS / 2 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('prune' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('boot' as const) }) },
  )
  const property = async (
    steps: (typeof step extends fc.Arbitrary<infer T> ? T : never)[],
  ): Promise<void> => {
    const limits = { maxRows: 8, pruneRows: 3, maxKeptBytes: 40 }
    const { time, boot, ...first } = setUp(limits, 'normal')
    let { journal } = first
    const started: { id: string; at: number; state: 'running' | 'ended' | 'cut' }[] = []
    for (const todo of steps) {
      const running = started.filter(({ state }) => state === 'running')
      if (todo.kind === 'start') {
        started.push({ id: String(started.length), at: time.now, state: 'running' })
        await journal.start({ ...call, id: String(started.length - 1) })
      } else if (todo.kind === 'finish') {
        const one = running[todo.which]
        if (one === undefined) continue
        one.state = 'ended'
        await journal.finish(call.caller, one.id, { state: 'done', result: new Uint8Array(todo.bytes) })
      } else if (todo.kind === 'time') {
        time.now += todo.ms
      } else if (todo.kind === 'clock') {
        time.wallAheadMs = todo.aheadMs
      } else if (todo.kind === 'boot') {
        journal = boot(`boot ${Math.random()}`)
        journal.recover()
        for (const one of running) one.state = 'cut'
      } else {
        while (journal.prune());
      }
      const isKept = ({ id }: { id: string }): boolean => journal.find(call.caller, id) !== undefined
      expect(started.filter((one) => one.state === 'running' && !isKept(one))).toEqual([])
      const lost = started.filter((one) => !isKept(one) && journal.remembers(time.now - one.at))
      expect(lost).toEqual([])
      if (todo.kind !== 'prune') continue
      const ended = started.filter((one) => one.state !== 'running' && isKept(one))
      expect(ended.length).toBeLessThanOrEqual(8)
      expect(
        ended.filter((one) => time.now - one.at > 26 * HOUR_MS && one.state === 'ended').length,
      ).toBeLessThanOrEqual(8)
    }
  }
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 100 }), property), {
    numRuns: 40,
  })
})

test('a day of calls goes in parts, and the disk gets its room back', async () => {
  const { journal, time, database } = setUp()
  const bytes = (): number => statSync(database.file).size
  for (let batch = 0; batch < 20; batch += 1) {
    const ids = Array.from({ length: 1_000 }, (_, n) => `${batch}-${n}-${'x'.repeat(60)}`)
    await Promise.all(ids.map(async (id) => journal.start({ ...call, id })))
    await Promise.all(
      ids.map(async (id) => journal.finish(call.caller, id, { state: 'done', result: new Uint8Array(200) })),
    )
    time.now += 60_000
  }
  time.now += 24 * HOUR_MS
  const before = bytes()
  let parts = 1
  while (journal.prune()) parts += 1
  expect(parts).toBeGreaterThan(9)
  expect(database.prepare('SELECT count(*) AS n FROM executions').get()).toEqual({ n: 0 })
  while (database.giveBack());
  database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
  expect(before).toBeGreaterThan(8_000_000)
  expect(bytes()).toBeLessThan(4_000_000)
})
