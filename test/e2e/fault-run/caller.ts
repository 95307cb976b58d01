// The program that calls: `node caller.ts <home> <plan file> <notes file>`. It ends with 0 when every call
// of the plan has its verdict. After its own crash it goes on from its notes.
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { type CallRecord, EasyNetError } from '../../../src/sdk/index.ts'
import { callOverHttp } from './call-over-http.ts'
import { connectSoon } from './connect-soon.ts'
import type { Plan, PlannedCall } from './plan.ts'
import { appendDurably, type CallNote, readRecords, type Verdict } from './records.ts'

const [home, planFile, notesFile] = process.argv.slice(2) as [string, string, string]
const { deadlineMs, calls } = JSON.parse(readFileSync(planFile, 'utf8')) as Plan
const earlier = readRecords<CallNote>(notesFile)
const firstAt = earlier.find((note) => note.event === 'begin')?.at ?? Date.now()
const mesh = await connectSoon(home)

await Promise.all(calls.map(settle))
await mesh.close()

async function settle(call: PlannedCall): Promise<void> {
  const notes = earlier.filter(({ n }) => n === call.n)
  if (notes.some(({ event }) => event === 'end')) return
  const resumed = notes.length > 0
  await wait(Math.max(0, firstAt + call.startAfterMs - Date.now()))
  if (!resumed) appendDurably(notesFile, { n: call.n, event: 'begin', at: Date.now() })
  const startedAt = performance.now()
  let verdict = await verdictOf(resumed ? resume(call, notes) : make(call))
  // Nobody offered it at that moment, so nobody could know that it is idempotent: the error says that
  // nothing ran and the program may send it again.
  while (call.fn === 'again' && verdict.retryable === true && performance.now() - startedAt < deadlineMs) {
    await wait(100)
    verdict = await verdictOf(make(call))
  }
  const tookMs = Math.round(performance.now() - startedAt)
  appendDurably(notesFile, { n: call.n, event: 'end', ...verdict, tookMs, resumed })
}

function make({ n, fn, way, workMs }: PlannedCall): Promise<unknown> {
  const args = [n, workMs]
  const key = fn === 'once' && way !== 'sdk' ? { key: `key-${n}` } : {}
  if (way === 'http') return callOverHttp(home, { fn, args, ...key }, deadlineMs)
  const onAccepted = (id: string): void => appendDurably(notesFile, { n, event: 'accepted', id })
  return mesh.call(fn, args, { timeoutMs: deadlineMs, onAccepted, ...key })
}

/** What a program can do that died after it had made the call. */
async function resume(call: PlannedCall, notes: readonly CallNote[]): Promise<unknown> {
  // Safe to repeat: the key is known, or running twice does no harm.
  if (call.fn === 'again' || call.way !== 'sdk') return make(call)
  const accepted = notes.findLast((note) => note.event === 'accepted')
  if (accepted === undefined) throw new EasyNetError('outcome_unknown', 'No id was known before the crash.')
  return askUntilSettled(accepted.id)
}

async function askUntilSettled(id: string): Promise<unknown> {
  const until = performance.now() + deadlineMs
  let record: CallRecord | undefined
  while (performance.now() < until) {
    try {
      record = await mesh.outcome(id)
      if (record.state !== 'running' && record.state !== 'unknown') break
    } catch (error) {
      // The question failed, which says nothing of the call.
      if (EasyNetError.from(error).reason !== 'daemon_unreachable') throw error
    }
    await wait(100)
  }
  if (record?.state === 'done') return record.result
  if (record?.error !== undefined) throw EasyNetError.fromData(record.error)
  throw new EasyNetError(
    record?.state === 'interrupted' ? 'interrupted' : 'outcome_unknown',
    'From the record.',
  )
}

async function verdictOf(result: Promise<unknown>): Promise<Omit<Verdict, 'tookMs' | 'resumed'>> {
  try {
    return { verdict: 'done', result: await result }
  } catch (thrown) {
    const { reason, message, retryable } = EasyNetError.from(thrown)
    const verdict = reason === 'interrupted' ? reason : reason === 'outcome_unknown' ? 'unknown' : 'failed'
    return { verdict, reason, message, retryable }
  }
}
