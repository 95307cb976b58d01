import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeAsk } from '../../../src/protocols/call/codec.ts'
import { CALL_PROTOCOL, MAX_SHARED_STREAMS_PER_PEER } from '../../../src/protocols/call/constants.ts'
import { FrameType } from '../../../src/protocols/call/frames.ts'
import { encodeCbor } from '../../../src/util/cbor.ts'
import { type Attacker, createAttacker, type RawStream } from '../support/attacker.ts'
import { callPayload, frame, framesIn, header, valuePayload } from '../support/frames.ts'
import { startVictims, type Victims } from '../support/victims.ts'
import { isFull, MiB, residentBytes, times, watch } from '../support/watch.ts'

// Streams of the call protocol that are slow, silent, too many, or never read.

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

const open = async (): Promise<RawStream> => attacker.open(victims.provider, CALL_PROTOCOL)
const wait = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const announced = (lengths: number[]): Buffer =>
  frame(FrameType.call, 0, encodeCbor([randomUUID(), 'echo', 60_000, false, [[], {}], lengths]))

test('300 slow and idle streams are reset after 5 s, those too many at once', async () => {
  await using honest = await watch(victims.caller)
  const slow = header(FrameType.call, 0, 1_000)
  const startedAt = performance.now()
  const ends: string[] = []
  const attack = async (index: number): Promise<void> => {
    const raw = await open()
    const timer = setInterval(() => {
      const sent = Math.floor((performance.now() - startedAt) / 1_000)
      // Every second stream says nothing at all.
      if (index % 2 === 0 && sent < slow.length) raw.send(slow.subarray(sent, sent + 1))
    }, 1_000)
    ends.push(await raw.endWithin(9_000))
    clearInterval(timer)
  }
  await Promise.all(
    Array.from({ length: 300 }, async (_, index) => attack(index).catch(() => ends.push('reset'))),
  )
  expect(ends.filter((end) => end !== 'reset')).toEqual([])
  expect(performance.now() - startedAt).toBeLessThan(8_000)
  const { slowestMs } = await honest.finish(100 * MiB)
  expect(slowestMs).toBeLessThan(2_000)
})

test('a peer has few shared streams, over all its connections', async () => {
  const call = frame(FrameType.call, 1, callPayload('text.upper', ['a']))
  const streams = await Promise.all(Array.from({ length: 10 }, open))
  for (const raw of streams) raw.send(call)
  await expect
    .poll(() => streams.filter((raw) => raw.stream.status === 'open').length)
    .toBe(MAX_SHARED_STREAMS_PER_PEER)
  for (const raw of streams) raw.stream.abort(new Error('done'))
  await expect
    .poll(async () => {
      const raw = await open()
      raw.send(call)
      await wait(50)
      const { length } = raw.received()
      raw.stream.abort(new Error('done'))
      return length
    })
    .toBeGreaterThan(0)
})

test('announced blobs take no memory, and no more than the budget can be announced', async () => {
  await using honest = await watch(victims.caller)
  const before = await residentBytes()
  const streams = await Promise.all(Array.from({ length: 64 }, open))
  for (const raw of streams) raw.send(announced([120 * MiB]))
  await expect.poll(() => streams.filter((raw) => raw.received().length > 0).length).toBe(64)
  const types = streams.flatMap((raw) => framesIn(raw.received()).map(({ type }) => type))
  // 256 MiB: two of them.
  expect(types.filter((type) => type === FrameType.accepted).length).toBe(2)
  expect(types.filter((type) => type === FrameType.error).length).toBe(62)
  expect((await residentBytes()) - before).toBeLessThan(40 * MiB)
  for (const raw of streams) raw.stream.abort(new Error('done'))
  await honest.finish(40 * MiB)
})

test('inputs that a function does not take count against the budget as well', async () => {
  await using honest = await watch(victims.caller)
  const streams = await Promise.all(Array.from({ length: 40 }, open))
  // 8 MiB are announced, a little of it comes.
  const input = frame(FrameType.value, 0, encodeCbor([null, [8 * MiB - 1_000]]))
  for (const raw of streams) {
    raw.send(frame(FrameType.call, 0, callPayload('never.reads', [], { input: true })))
    raw.send(Buffer.concat([input, frame(FrameType.blob, 0, Buffer.alloc(10_000))]))
  }
  // 256 MiB are 32 of them; the others were told so.
  const refused = (): number =>
    streams.filter((raw) => framesIn(raw.received()).some(({ type }) => type === FrameType.error)).length
  await expect.poll(refused, { timeout: 5_000 }).toBe(8)
  for (const raw of streams) raw.stream.abort(new Error('done'))
  await honest.finish(200 * MiB)
})

test('small items that become large objects count as what they take', async () => {
  // 60 kB of empty maps: 4 MB each in memory.
  const items = Buffer.concat([Buffer.from([0x99, 0xea, 0x60]), Buffer.alloc(60_000, 0xa0)])
  const payload = (): Buffer =>
    Buffer.concat([
      Buffer.from([0x86]),
      encodeCbor([randomUUID(), 'wait', 60_000, false]).subarray(1),
      Buffer.from([0x82, 0x82, 0x19, 0x13, 0x88]),
      items,
      Buffer.from([0xa0, 0x80]),
    ])
  await using honest = await watch(victims.caller)
  const raw = await open()
  const count = 120
  for (let n = 1; n <= count; n += 1) {
    raw.send(frame(FrameType.call, n, payload()))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await expect
    .poll(() => framesIn(raw.received()).filter(({ type }) => type === FrameType.error).length, {
      timeout: 10_000,
    })
    .toBeGreaterThan(20)
  for (let n = 1; n <= count; n += 1) raw.send(frame(FrameType.cancel, n, encodeCbor([0])))
  await wait(200)
  raw.stream.abort(new Error('done'))
  await honest.finish(500 * MiB)
})

test('a frame that comes byte by byte costs no more than another', async () => {
  const raw = await open()
  const bytes = frame(FrameType.call, 0, callPayload('echo', ['x'.repeat(20_000)]))
  const before = await residentBytes()
  for (let at = 0; at < bytes.length - 1; at += 1) {
    raw.send(bytes.subarray(at, at + 1))
    if (at % 500 === 0) await wait(1)
  }
  await wait(200)
  expect((await residentBytes()) - before).toBeLessThan(30 * MiB)
  raw.send(bytes.subarray(-1))
  await expect.poll(() => framesIn(raw.received()).map(({ type }) => type)).toContain(FrameType.end)
})

test('a flood of questions fills only its own places', async () => {
  await using honest = await watch(victims.caller)
  const { id } = await victims.caller.callWithInfo('wait', [1])
  let asked = 0
  const count = times(20_000, 500)
  const ask = async (): Promise<void> => {
    const raw = await open()
    raw.send(frame(FrameType.ask, 0, encodeAsk({ id: randomUUID(), waitMs: 2 ** 50, ageMs: 0, once: true })))
    await expect.poll(() => raw.received().length, { interval: 2, timeout: 5_000 }).toBeGreaterThan(0)
    expect(framesIn(raw.received()).map(({ type }) => type)).toEqual([FrameType.verdict])
    if (asked === 1) expect(await raw.endWithin(7_000)).toBe('reset')
    raw.stream.abort(new Error('next'))
  }
  const attack = async (): Promise<void> => {
    while (asked < count) {
      asked += 1
      await ask()
    }
  }
  await Promise.all(Array.from({ length: 16 }, attack))
  // The provider still knows the honest call.
  expect((await victims.caller.api.callRecord(id, AbortSignal.timeout(5_000))).state).toBe('done')
  await honest.finish(100 * MiB)
})

test('a reset in every phase of a call', async () => {
  await using honest = await watch(victims.caller)
  const call = frame(FrameType.call, 0, callPayload('flood', [100, 10_000]))
  const upload = Buffer.concat([announced([100_000]), frame(FrameType.blob, 0, Buffer.alloc(50_000))])
  const inputs = Buffer.concat([
    frame(FrameType.call, 0, callPayload('never.reads', [], { input: true })),
    frame(FrameType.value, 0, valuePayload(1)),
  ])
  for (const bytes of [Buffer.alloc(0), call.subarray(0, 5), call.subarray(0, 30), call, upload, inputs]) {
    for (let ms = 0; ms < 10; ms += 1) {
      const raw = await open()
      raw.send(bytes)
      await wait(ms)
      raw.stream.abort(new Error('gone'))
    }
  }
  const { provider } = victims
  await expect.poll(() => provider.api.status().calls.running, { timeout: 5_000 }).toBeLessThan(2)
  await honest.finish(100 * MiB)
})

test('readers that never read: a stream of 1 GiB, results, and reports', async () => {
  await using honest = await watch(victims.caller)
  const before = await residentBytes()
  const attack = async (fn: string, ...args: number[]): Promise<RawStream> => {
    const raw = await open()
    raw.stream.pause()
    raw.send(frame(FrameType.call, 0, callPayload(fn, args)))
    return raw
  }
  const streams = await Promise.all([
    attack('flood', 1_024, MiB),
    attack('flood', 1_024, MiB),
    attack('chatter', 50_000),
    attack('make', 20 * MiB),
  ])
  await wait(isFull ? 10_000 : 2_500)
  // The result of `make`, a chunk or two, and what yamux lets through for each stream.
  expect((await residentBytes()) - before).toBeLessThan(120 * MiB)
  for (const raw of streams) raw.stream.abort(new Error('done'))
  const { slowestMs } = await honest.finish(120 * MiB)
  expect(slowestMs).toBeLessThan(2_000)
})
