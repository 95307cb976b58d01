import { expect, onTestFinished, test } from 'vitest'
import { EasyNetError } from '../../../../src/errors/error.ts'
import {
  encodeCall,
  encodeError,
  encodeLog,
  encodeProgress,
  encodeValue,
} from '../../../../src/protocols/call/codec.ts'
import { FrameType } from '../../../../src/protocols/call/frames.ts'
import { createSharedLink, OWN_STREAM, STORED } from '../../../../src/protocols/call/shared-link.ts'
import { createDeadline } from '../../../../src/util/signals.ts'
import { fakeStream } from './support/fake-stream.ts'

const id = '00000000-0000-4000-8000-000000000000'
const encoded = encodeCall({ id, fn: 'f', timeoutMs: 1_000, input: false, args: [], kwargs: {} })
const payloads: Record<number, Uint8Array> = {
  [FrameType.value]: encodeValue(1).payload,
  [FrameType.result]: encodeValue('r').payload,
  [FrameType.blob]: new Uint8Array(10),
  [FrameType.error]: encodeError(new EasyNetError('queue_full', 'busy', { notStarted: true })),
  [FrameType.progress]: encodeProgress('half'),
  [FrameType.log]: encodeLog({ level: 'info', message: 'line' }),
}

/** A link with one call that runs, number 1. */
async function setUp() {
  const fake = fakeStream()
  const link = createSharedLink(Promise.resolve(fake.stream))
  const reports: unknown[] = []
  const sink = {
    chunk: () => undefined,
    progress: (value: unknown) => void reports.push(value),
    log: ({ message }: { message: string }) => void reports.push(message),
  }
  const deadline = createDeadline(5_000)
  onTestFinished(() => deadline[Symbol.dispose]())
  const call = (): Promise<unknown> =>
    link.call(encoded, sink, deadline).catch((error: unknown) => (error as EasyNetError).reason)
  const answer = call()
  expect(await fake.sent()).toEqual([[FrameType.call, 1]])
  const receive = (type: number, number = 1): void => fake.receive(type, number, payloads[type])
  return { ...fake, receive, receiveBytes: fake.receive, link, reports, deadline, call, answer }
}
const types = Object.entries(FrameType)
const isOpen = Symbol('still open')
const stateOf = async (answer: Promise<unknown>): Promise<unknown> =>
  Promise.race([answer, new Promise((resolve) => setImmediate(() => resolve(isOpen)))])

const answers: Partial<Record<string, unknown>> = {
  result: 'r',
  stored: STORED,
  accepted: OWN_STREAM,
  error: 'queue_full',
  progress: isOpen,
  log: isOpen,
}

test.each(types)('%s for a call that runs', async (name, type) => {
  const { receive, answer, aborted, link } = await setUp()
  receive(type)
  const isKnown = name in answers
  expect(await stateOf(answer)).toBe(isKnown ? answers[name] : 'outcome_unknown')
  expect(aborted() instanceof EasyNetError).toBe(!isKnown)
  expect([link.closed, link.size]).toEqual([!isKnown, answers[name] === isOpen ? 1 : 0])
})

test.each(types)('%s for a call that never was is ignored', async (_name, type) => {
  const { receive, answer, aborted, reports } = await setUp()
  receive(type, 7)
  expect([await stateOf(answer), aborted(), reports]).toEqual([isOpen, undefined, []])
})

test.each(types)('%s after the answer is ignored', async (_name, type) => {
  const { receive, answer, aborted, reports } = await setUp()
  receive(FrameType.result)
  receive(type)
  expect([await answer, aborted(), reports]).toEqual(['r', undefined, []])
})

test.each(types)(
  '%s after the cancel is ignored, and the provider is told of the cancel',
  async (_name, type) => {
    const { receive, sent, answer, aborted, deadline, reports } = await setUp()
    deadline.abort(new EasyNetError('cancelled', 'enough'))
    receive(type)
    expect([await answer, aborted(), reports]).toEqual(['cancelled', undefined, []])
    expect(await sent()).toEqual([
      [FrameType.call, 1],
      [FrameType.cancel, 1],
    ])
  },
)

test('reports reach the caller, answers come in any order', async () => {
  const { receive, answer, call, reports } = await setUp()
  const second = call()
  receive(FrameType.progress, 2)
  receive(FrameType.log, 1)
  receive(FrameType.result, 2)
  receive(FrameType.stored, 1)
  expect([await second, await answer, reports]).toEqual(['r', STORED, ['half', 'line']])
})

test.each([
  ['no CBOR', [0xff]],
  ['no list', [0x01]],
  ['too short a list', [0x81, 0x01]],
])('an answer that is %s resets the stream, and its calls are to be asked for', async (_what, bytes) => {
  const { answer, call, aborted, link, receiveBytes } = await setUp()
  const second = call()
  receiveBytes(FrameType.result, 1, Buffer.from(bytes))
  expect([await answer, await second]).toEqual(['outcome_unknown', 'outcome_unknown'])
  expect([aborted() instanceof EasyNetError, link.closed]).toEqual([true, true])
})

test('an error that cannot be read ends the call as well', async () => {
  const { answer, link, receiveBytes } = await setUp()
  receiveBytes(FrameType.error, 1, Buffer.from([0xff]))
  expect([await answer, link.closed]).toEqual(['outcome_unknown', true])
})

test('when the stream breaks running calls are to be asked for, and new ones were never sent', async () => {
  const { reset, answer, call, link } = await setUp()
  reset()
  expect([await answer, await call(), link.size]).toEqual(['outcome_unknown', 'peer_unreachable', 0])
})
