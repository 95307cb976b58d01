import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import type { CallOutcome } from '../../../src/model/call.ts'
import { askUntilKnown } from '../../../src/scheduler/verdict.ts'
import { pause } from '../../../src/scheduler/pause.ts'
import { createDeadline, onAbort } from '../../../src/util/signals.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const away = new EasyNetError('peer_unreachable', 'away')

/** Asks with a list of answers; errors are questions that did not get through. */
function ask(answers: (CallOutcome | EasyNetError)[], timeoutMs = 60_000, parent?: AbortSignal) {
  const waits: number[] = []
  const deadline = createDeadline(timeoutMs, parent)
  const question = async (waitMs: number): Promise<CallOutcome> => {
    waits.push(waitMs)
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer instanceof EasyNetError) throw answer
    return answer as CallOutcome
  }
  // Nobody comes.
  const nextProvider = async (_: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => void onAbort(signal, resolve))
  const again = async (before: number) => pause({ nextProvider }, 'f', before, deadline.signal)
  const verdict = askUntilKnown(question, again, deadline)
  verdict.catch(() => undefined)
  return { verdict, waits }
}

test('the result of a call that was done is returned', async () => {
  expect(await ask([{ state: 'done', result: 5 }]).verdict).toBe(5)
})

test("the function's own error is passed on", async () => {
  const error = new EasyNetError('function_error', 'division by zero')
  await expect(ask([{ state: 'failed', error }]).verdict).rejects.toBe(error)
})

test('a call that was cut off is interrupted; one that never came may be sent again', async () => {
  await expect(ask([{ state: 'interrupted' }]).verdict).rejects.toMatchObject({ reason: 'interrupted' })
  await expect(ask([{ state: 'never' }]).verdict).rejects.toMatchObject({
    reason: 'peer_unreachable',
    retryable: true,
  })
})

test('it asks again while the call runs, and lets the provider wait up to 30 s', async () => {
  const { verdict, waits } = ask([{ state: 'running' }, { state: 'running' }, { state: 'done', result: 1 }])
  await vi.runAllTimersAsync()
  expect(await verdict).toBe(1)
  expect(waits).toHaveLength(3)
  expect(waits[0]).toBe(30_000)
})

test('it asks again while the provider is away, with growing pauses of 2 s at most', async () => {
  const { verdict, waits } = ask([...Array.from({ length: 20 }, () => away), { state: 'done', result: 1 }])
  await vi.advanceTimersByTimeAsync(100 + 200 + 400 + 800 + 1_600)
  expect(waits).toHaveLength(6)
  await vi.advanceTimersByTimeAsync(4_000)
  expect(waits).toHaveLength(8)
  await vi.runAllTimersAsync()
  expect(await verdict).toBe(1)
})

test('when nobody could tell until the deadline, the outcome is unknown', async () => {
  const { verdict } = ask([away], 5_000)
  await vi.advanceTimersByTimeAsync(5_000)
  await expect(verdict).rejects.toMatchObject({ reason: 'outcome_unknown', cause: expect.anything() })
})

test('a cancel of the caller is no open question', async () => {
  const parent = new AbortController()
  const { verdict } = ask([away], 5_000, parent.signal)
  await vi.advanceTimersByTimeAsync(50)
  parent.abort()
  await expect(verdict).rejects.toMatchObject({ reason: 'cancelled' })
})
