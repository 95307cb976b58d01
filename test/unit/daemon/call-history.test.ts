import { expect, test } from 'vitest'
import { createCallHistory } from '../../../src/daemon/call-history.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import type { CallOutcome, CallQuestion, LoggedCall } from '../../../src/model/call.ts'
import type { CallLog } from '../../../src/storage/call-log.ts'
import { systemClock } from '../../../src/util/clock.ts'

const signal = new AbortController().signal
const sent = { peerId: 'provider', peerName: 'p', idempotent: false }

/** The history of a daemon that was started again, with the calls that its predecessor left. */
function historyOf(calls: Partial<LoggedCall>[], outcome?: CallOutcome) {
  const logged = new Map<string, LoggedCall>()
  for (const call of calls) {
    const record: LoggedCall = { id: 'c', fn: 'f', state: 'running', startedAt: Date.now(), ...call }
    logged.set(record.id, record)
  }
  const log: Partial<CallLog> = {
    note: (record) => void logged.set(record.id, record),
    find: (id) => logged.get(id),
    running: () => [...logged.values()].filter(({ state }) => state === 'running'),
  }
  const questions: CallQuestion[] = []
  const history = createCallHistory({
    log: log as CallLog,
    isRunning: () => false,
    async ask(_peerId, question) {
      questions.push(question)
      if (outcome === undefined) throw new EasyNetError('peer_unreachable', 'away')
      return outcome
    },
    clock: systemClock,
  })
  return { history, logged, questions }
}

test('a call that no provider was chosen for never ran', async () => {
  const { history } = historyOf([{}])
  const error = { reason: 'peer_unreachable', retryable: true }
  expect(await history.find('c', signal)).toMatchObject({ state: 'failed', error })
})

test('a call that was sent is unknown while its provider is away, and may not be sent again', async () => {
  const { history, logged } = historyOf([sent])
  await history.recover('self', signal)
  expect(logged.get('c')).toEqual({ ...logged.get('c'), state: 'unknown' })
  const record = await history.find('c', signal)
  expect(record).toMatchObject({ state: 'unknown', idempotent: false })
  expect(record.error).toBeUndefined()
})

test('the provider is told whether it has journalled the call', async () => {
  const once = historyOf([sent], { state: 'never' })
  expect(await once.history.find('c', signal)).toMatchObject({ state: 'failed', error: { retryable: true } })
  const again = historyOf([{ ...sent, idempotent: true }], { state: 'never' })
  await again.history.find('c', signal)
  const old = historyOf([{ peerId: 'provider' }], { state: 'never' })
  await old.history.find('c', signal)
  expect([once, again, old].map(({ questions }) => questions[0]?.once)).toEqual([true, false, false])
})

test('a call that its provider has forgotten is unknown for good', async () => {
  const { history } = historyOf([sent], { state: 'forgotten' })
  const error = { reason: 'outcome_unknown', retryable: false }
  expect(await history.find('c', signal)).toMatchObject({ state: 'unknown', error })
})
