import { expect, test } from 'vitest'
import type { Reason } from '../../../src/errors/reasons.ts'
import { createCallLines } from '../../../src/telemetry/call-lines.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'

function setUp() {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const time = { ms: 0 }
  const clock = { now: () => time.ms, monotonic: () => time.ms }
  const log = createCallLines(createLogger({ stream: { write } }), clock)
  const call = (id: string, reason?: Reason): void => {
    const state = reason === undefined ? 'done' : 'failed'
    const error = reason === undefined ? undefined : { reason }
    log(id, 'text.upper', 'caller', 'p', { state, durationMs: 1.2345, error })
  }
  return { lines, time, call }
}

test('a call that ended is one line of facts', () => {
  const { lines, call } = setUp()
  call('a')
  call('b', 'no_provider')
  expect(lines[0]).toEqual({
    level: 'info',
    time: expect.any(String) as string,
    id: 'a',
    fn: 'text.upper',
    role: 'caller',
    peerId: 'p',
    state: 'done',
    durationMs: 1.2,
    msg: 'call ended',
  })
  expect(lines[1]).toMatchObject({ state: 'failed', reason: 'no_provider' })
})

test('of a flood some lines are written, and the next one says how many were not', () => {
  const { lines, time, call } = setUp()
  for (let number = 0; number < 1_000; number += 1) call(String(number))
  expect(lines).toHaveLength(50)
  time.ms += 100
  call('later')
  time.ms += 100
  call('last')
  expect(lines.slice(50).map(({ id, notLogged }) => [id, notLogged])).toEqual([
    ['later', 950],
    ['last', undefined],
  ])
})
