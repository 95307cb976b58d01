import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeAsk } from '../../../src/protocols/call/codec.ts'
import { CALL_PROTOCOL } from '../../../src/protocols/call/constants.ts'
import { FrameType } from '../../../src/protocols/call/frames.ts'
import { encodeCbor } from '../../../src/util/cbor.ts'
import { type Attacker, createAttacker } from '../support/attacker.ts'
import { callPayload, frame, framesIn, header, valuePayload } from '../support/frames.ts'
import { startVictims, type Victims } from '../support/victims.ts'
import { MiB, watch } from '../support/watch.ts'

// Frames of the call protocol that no honest caller sends. Mutated ones are in ../daemon/fuzz.test.ts.

let victims: Victims
let attacker: Attacker
beforeAll(async () => {
  victims = await startVictims()
  attacker = await createAttacker()
})
afterAll(async () => {
  await attacker[Symbol.asyncDispose]()
  await victims[Symbol.asyncDispose]()
})

const uuid = '00000000-0000-4000-8000-000000000000'

test('claimed lengths are refused by the header', async () => {
  await using honest = await watch(victims.caller)
  for (const claimed of [0, 4, 2 ** 20 + 6, 2 ** 31, 2 ** 32 - 1]) {
    for (const type of [FrameType.call, FrameType.blob, FrameType.ask]) {
      const raw = await attacker.open(victims.provider, CALL_PROTOCOL)
      raw.send(header(type, type === FrameType.call ? 1 : 0, claimed))
      expect(await raw.endWithin(2_000), `type ${type}, length ${claimed}`).toBe('reset')
    }
  }
  await honest.finish(20 * MiB)
})

describe('frames out of place reset the stream at once', () => {
  const small = frame(FrameType.call, 1, callPayload('echo', ['x']))
  const own = frame(FrameType.call, 0, callPayload('echo', ['x']))
  const streaming = frame(FrameType.call, 0, callPayload('never.reads', [], { input: true }))
  const ask = frame(FrameType.ask, 0, encodeAsk({ id: uuid, waitMs: 0, ageMs: 0, once: true }))
  const slow = frame(FrameType.call, 7, callPayload('wait', [1_000]))
  const nested = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x81), Buffer.from([0])])
  const pairs = (...keys: string[]): Buffer =>
    Buffer.concat([
      Buffer.from([0xa0 + keys.length]),
      ...keys.flatMap((key) => [Buffer.from([0x60 + key.length]), Buffer.from(key), Buffer.from([1])]),
    ])
  /** A CALL whose argument is the given CBOR item. */
  const withArgument = (item: Buffer, after = Buffer.from([0xa0, 0x80])): Buffer =>
    frame(
      FrameType.call,
      1,
      Buffer.concat([
        Buffer.from([0x86]),
        encodeCbor([randomUUID(), 'echo', 1_000, false]).subarray(1),
        Buffer.from([0x82, 0x81]),
        item,
        after,
      ]),
    )
  const bomb = Buffer.concat([Buffer.from([0x9a, 0, 1, 0x86, 0xa0]), Buffer.alloc(100_000, 0xa0)])
  const cases: Record<string, Buffer[]> = {
    'RESULT, ERROR, PROGRESS, LOG, ACCEPTED, VERDICT, STORED from the caller': [5, 6, 7, 8, 10, 13, 14].map(
      (type) => frame(type, 1, valuePayload(1)),
    ),
    'the same on an own stream': [5, 6, 7, 8, 10, 13, 14].map((type) =>
      Buffer.concat([streaming, frame(type, 0, valuePayload(1))]),
    ),
    'unknown types': [0, 15, 16, 255].map((type) => frame(type, 1)),
    'VALUE, BLOB, END, ACK, CANCEL before CALL': [
      frame(FrameType.value, 0, valuePayload(1)),
      frame(FrameType.blob, 0, Buffer.alloc(10)),
      frame(FrameType.end, 0, encodeCbor([0, 0, Buffer.alloc(32)])),
      frame(FrameType.ack, 0),
      frame(FrameType.cancel, 0, encodeCbor([0])),
    ],
    'ASK after CALL, ASK twice, CALL after ASK': [
      Buffer.concat([streaming, ask]),
      Buffer.concat([ask, ask]),
      Buffer.concat([ask, own]),
    ],
    'CALL twice': [Buffer.concat([streaming, streaming]), Buffer.concat([slow, slow])],
    'END, VALUE and BLOB on a shared stream': [2, 3, 4].map((type) =>
      Buffer.concat([small, frame(type, 1, valuePayload(1))]),
    ),
    'a large CALL, and one with inputs, on a shared stream': [
      frame(FrameType.call, 1, callPayload('echo', ['x'.repeat(100_000)])),
      frame(FrameType.call, 1, callPayload('never.reads', [], { input: true })),
    ],
    'malformed CALLs': [
      frame(FrameType.call, 1, encodeCbor(['no uuid', 'echo', 1, false, [[], {}], []])),
      frame(FrameType.call, 1, encodeCbor([uuid, 'e\ncho', 1, false, [[], {}], []])),
      frame(FrameType.call, 1, encodeCbor([uuid, 'echo', -1, false, [[], {}], []])),
      frame(FrameType.call, 1, encodeCbor([uuid, 'echo', 1, false, [{}, []], []])),
      frame(FrameType.call, 1, encodeCbor([uuid, 'echo', 1, false, [[], {}], [-1]])),
      frame(FrameType.call, 0, encodeCbor([uuid, 'echo', 1, false, [[], {}], [2 ** 40]])),
      frame(FrameType.call, 0, encodeCbor([uuid, 'echo', 1, false, [[], {}], Array(2_000).fill(1)])),
    ],
    'CBOR that is nested without end, indefinite, a bomb, or has a key twice': [
      withArgument(nested(60_000)),
      withArgument(nested(200)),
      withArgument(Buffer.from([0x9f, 0xff])),
      frame(FrameType.call, 0, bomb),
      withArgument(Buffer.from([0x9b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
      withArgument(pairs('a', 'a')),
      withArgument(pairs('__proto__', '__proto__')),
    ],
    'a blob that was not announced, or is longer': [
      withArgument(Buffer.from([0xd9, 0x9c, 0x4b, 0])),
      Buffer.concat([
        frame(FrameType.call, 0, encodeCbor([uuid, 'echo', 1, false, [[], {}], [10]])),
        frame(FrameType.blob, 0, Buffer.alloc(11)),
      ]),
    ],
  }
  test.each(Object.entries(cases))('%s', async (_name, attacks) => {
    for (const [index, bytes] of attacks.entries()) {
      const raw = await attacker.open(victims.provider, CALL_PROTOCOL)
      raw.send(bytes)
      expect(await raw.endWithin(2_000), `attack ${index}`).toBe('reset')
    }
    expect(await victims.caller.call('text.upper', ['ok'])).toBe('OK')
  })

  test('a key __proto__ is a key like any other', async () => {
    const raw = await attacker.open(victims.provider, CALL_PROTOCOL)
    raw.send(withArgument(pairs('__proto__', 'constructor')))
    await expect.poll(() => framesIn(raw.received()).map(({ type }) => type)).toEqual([FrameType.result])
    expect(({} as Record<string, unknown>)['1']).toBeUndefined()
    raw.stream.abort(new Error('done'))
  })
})

test('an id that is used again gets the first outcome; a called-off id never runs', async () => {
  const id = randomUUID()
  const raw = await attacker.open(victims.provider, CALL_PROTOCOL)
  raw.send(frame(FrameType.call, 1, callPayload('echo', ['first'], { id })))
  for (let n = 2; n < 500; n += 1) raw.send(frame(FrameType.call, n, callPayload('echo', ['again'], { id })))
  await expect.poll(() => framesIn(raw.received()).length).toBe(499)
  const payloads = new Set(
    framesIn(raw.received()).map(({ payload }) => Buffer.from(payload).toString('hex')),
  )
  expect([...payloads]).toEqual([Buffer.from(valuePayload('first')).toString('hex')])
  raw.stream.abort(new Error('done'))
})
