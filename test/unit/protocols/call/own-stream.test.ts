import { expect, onTestFinished, test } from 'vitest'
import { EasyNetError } from '../../../../src/errors/error.ts'
import {
  encodeCall,
  encodeEnd,
  encodeError,
  encodeLog,
  encodeProgress,
  encodeValue,
  encodeVerdict,
} from '../../../../src/protocols/call/codec.ts'
import { FrameType } from '../../../../src/protocols/call/frames.ts'
import { callOnOwnStream } from '../../../../src/protocols/call/own-stream.ts'
import { fakeStream } from './support/fake-stream.ts'

const id = '00000000-0000-4000-8000-000000000000'
const call = {
  id,
  fn: 'f',
  timeoutMs: 1_000,
  input: false,
  args: [],
  kwargs: {},
  streams: true,
  inputs: undefined,
}
const item = encodeValue('x').payload
/** A value whose 20,000 bytes follow. */
const large = encodeValue(new Uint8Array(20_000)).payload
const endOf = (...payloads: Uint8Array[]): Uint8Array =>
  encodeEnd({ items: payloads.length, bytes: Buffer.concat(payloads).length })

/** What has come before, in each state of a call. */
const states: Record<string, [type: number, payload?: Uint8Array][]> = {
  sent: [],
  accepted: [[FrameType.accepted]],
  streaming: [[FrameType.accepted], [FrameType.value, item]],
  filling: [[FrameType.accepted], [FrameType.value, large]],
  'with its result': [[FrameType.accepted], [FrameType.result, item]],
}
const isOpen = 'still open'

async function setUp(state: string) {
  const fake = fakeStream()
  const chunks: unknown[] = []
  const reports: unknown[] = []
  const controller = new AbortController()
  const sink = {
    chunk: (value: unknown) => void chunks.push(value),
    progress: (value: unknown) => void reports.push(value),
    log: ({ message }: { message: string }) => void reports.push(message),
  }
  const answer = callOnOwnStream(fake.stream, call, encodeCall(call), sink, controller.signal).catch(
    (error: unknown) => (error as EasyNetError).reason,
  )
  onTestFinished(() => fake.stream.abort(new Error('over')))
  expect(await fake.sent()).toEqual([[FrameType.call, 0]])
  for (const [type, payload] of states[state] ?? []) fake.receive(type, 0, payload)
  const outcome = async (): Promise<unknown> =>
    Promise.race([answer, new Promise((resolve) => setImmediate(() => resolve(isOpen)))])
  return { ...fake, chunks, reports, controller, answer, outcome }
}

const payloads: Partial<Record<string, Uint8Array>> = {
  value: item,
  result: item,
  blob: new Uint8Array(10),
  end: endOf(item),
  error: encodeError(new EasyNetError('function_error', 'no')),
  progress: encodeProgress('half'),
  log: encodeLog({ level: 'info', message: 'line' }),
  verdict: encodeVerdict('never'),
}
/** In which states a frame has its place, and what becomes of the call; in all others it is a violation. */
const places: Partial<Record<string, Record<string, unknown>>> = {
  accepted: Object.fromEntries(Object.keys(states).map((state) => [state, isOpen])),
  progress: Object.fromEntries(Object.keys(states).map((state) => [state, isOpen])),
  log: Object.fromEntries(Object.keys(states).map((state) => [state, isOpen])),
  error: Object.fromEntries(Object.keys(states).map((state) => [state, 'function_error'])),
  // A verdict says nothing of a call: its outcome is to be asked for.
  verdict: Object.fromEntries(Object.keys(states).map((state) => [state, 'outcome_unknown'])),
  value: { sent: isOpen, accepted: isOpen, streaming: isOpen },
  result: { sent: isOpen, accepted: isOpen, streaming: isOpen },
  blob: { filling: isOpen },
  end: { 'with its result': 'x' },
}
const cases = Object.entries(FrameType).flatMap(([name, type]) =>
  Object.keys(states).map((state) => [name, state, type] as const),
)

test.each(cases)('%s for a call that is %s', async (name, state, type) => {
  const { receive, outcome, aborted } = await setUp(state)
  receive(type, 0, payloads[name])
  const expected = places[name]?.[state] ?? 'protocol_violation'
  expect(await outcome()).toBe(expected)
  expect(aborted()?.message.includes('out of place') ?? false).toBe(expected === 'protocol_violation')
})

test.each(Object.entries(FrameType))('%s after the end is ignored', async (name, type) => {
  const { receive, answer, chunks, reports, sent } = await setUp('with its result')
  receive(FrameType.end, 0, endOf(item))
  receive(type, 0, payloads[name])
  expect([await answer, chunks, reports]).toEqual(['x', [], []])
  expect(await sent()).toEqual([
    [FrameType.call, 0],
    [FrameType.ack, 0],
  ])
})

test('an END that does not fit is no result', async () => {
  const { receive, answer } = await setUp('with its result')
  receive(FrameType.end, 0, endOf(item, item))
  expect(await answer).toBe('incomplete')
})

test('more bytes than were announced are a violation', async () => {
  const { receive, answer, chunks } = await setUp('filling')
  receive(FrameType.blob, 0, new Uint8Array(20_001))
  expect([await answer, chunks]).toEqual(['protocol_violation', []])
})

test('a stream that breaks leaves the call to be asked for; a cancel is told', async () => {
  const broken = await setUp('accepted')
  broken.reset()
  expect(await broken.answer).toBe('outcome_unknown')
  const cancelled = await setUp('accepted')
  cancelled.controller.abort(new EasyNetError('cancelled', 'enough'))
  expect(await cancelled.answer).toBe('cancelled')
  expect((await cancelled.sent()).at(-1)).toEqual([FrameType.cancel, 0])
})
