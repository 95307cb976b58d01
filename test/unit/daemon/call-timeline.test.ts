import { expect, test } from 'vitest'
import { createCallTimeline } from '../../../src/daemon/call-timeline.ts'
import type { ExecutionNotes } from '../../../src/model/call.ts'
import { CallNotes } from '../../../src/telemetry/call-notes.ts'

const provider = { peerId: 'theirs', name: 'box' }
const signal = new AbortController().signal
const id = '01a20341-ef6b-701a-a7cb-8368eba05670'

function setUp() {
  let time = 100
  const notes = new CallNotes(id, undefined, { now: () => 1_000_000, monotonic: () => time })
  const at = (ms: number, ...note: Parameters<CallNotes['add']>): void => {
    time = 100 + ms
    notes.add(...note)
  }
  const told = async (ask: () => Promise<ExecutionNotes | undefined>, selfId = 'ours') => {
    const timelineOf = createCallTimeline({
      selfId,
      ask,
      notesOf: (wanted) => (wanted === id ? notes : undefined),
    })
    const known = await timelineOf(id, signal)
    return known?.timeline.map(({ at, where, what }) => `${at - 1_000_000} ${where} ${what}`)
  }
  return { at, told, notes }
}

test('the steps of the provider stand in the middle of the time on the way', async () => {
  const { at, told } = setUp()
  at(1, 'chosen', provider)
  at(2, 'sent', provider)
  at(32, 'answered', provider)
  at(33, 'ended')
  // 30 ms on the way and there, 20 of them there: 5 each way.
  expect(await told(async () => ({ queued: 0, started: 4, ended: 19, answered: 20 }))).toEqual([
    '0 app called',
    '0 caller accepted',
    '1 caller provider chosen',
    '2 wire sent',
    '7 provider received',
    '7 provider queued',
    '11 function started',
    '26 function ended',
    '27 provider answered',
    '32 wire answer received',
    '33 caller ended',
  ])
})

test('only the last attempt is asked about; the earlier ones are told', async () => {
  const { at, told } = setUp()
  at(1, 'chosen', { peerId: 'first', name: 'first' })
  at(2, 'sent', { peerId: 'first', name: 'first' })
  at(4, 'failed', { peerId: 'first', name: 'first' }, 'queue_full')
  at(5, 'chosen', provider)
  at(6, 'sent', provider)
  at(10, 'answered', provider)
  const lines = await told(async () => ({ started: 0, ended: 2, answered: 2 }))
  expect(lines).toContain('4 caller attempt failed: queue_full')
  expect(lines).toContain('7 function started')
  expect(lines?.filter((line) => line.includes('function started'))).toHaveLength(1)
})

test('a call that still runs has no end, and nothing is known of the way', async () => {
  const { at, told } = setUp()
  at(1, 'chosen', provider)
  at(2, 'sent', provider)
  expect((await told(async () => ({ queued: 0 })))?.slice(-3)).toEqual([
    '2 wire sent',
    '2 provider received',
    '2 provider queued',
  ])
})

test('without an answer of the provider the rest is told', async () => {
  const { at, told } = setUp()
  at(1, 'chosen', provider)
  at(2, 'sent', provider)
  const away = async (): Promise<never> => {
    throw new Error('away')
  }
  expect(await told(away)).toHaveLength(4)
  expect(await told(async () => undefined)).toHaveLength(4)
})

test('what stays on the device is on no wire', async () => {
  const { at, told } = setUp()
  at(1, 'chosen', provider)
  at(2, 'sent', provider)
  at(5, 'answered', provider)
  const lines = await told(async () => ({ started: 1, ended: 3, answered: 3 }), 'theirs')
  expect(lines?.some((line) => line.includes('wire'))).toBe(false)
  expect(lines).toContain('3 function started')
})

test('the clock of the provider may be slower than the way back was', async () => {
  const { at, told } = setUp()
  at(1, 'chosen', provider)
  at(2, 'sent', provider)
  at(3, 'answered', provider)
  expect(await told(async () => ({ answered: 50 }))).toContain('2 provider received')
})

test('a call that is not noted has no timeline', async () => {
  const timelineOf = createCallTimeline({ selfId: '', notesOf: () => undefined, ask: async () => undefined })
  expect(await timelineOf(id, signal)).toBeUndefined()
})

test('the trace context is the one that came, else that of the id', () => {
  const clock = { now: () => 0, monotonic: () => 0 }
  expect(new CallNotes(id, 'given', clock).traceparent).toBe('given')
  expect(new CallNotes(id, undefined, clock).traceparent).toBe(
    '00-01a20341ef6b701aa7cb8368eba05670-a7cb8368eba05670-01',
  )
})
