import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { FrameGuard, watchFrames } from '../../../src/network/guarded-muxer.ts'
import {
  MAX_INBOUND_STREAMS,
  MAX_NEGOTIATION_MESSAGES,
  MAX_STREAM_WINDOW_BYTES,
  YAMUX_PING_BURST,
} from '../../../src/network/limits.ts'
import { YamuxFlag, YamuxType } from '../../../src/network/yamux-frames.ts'

const { data, windowUpdate, ping } = YamuxType
const { syn, ack, fin, rst } = YamuxFlag

function frame(type: number, flags: number, stream: number, payload: Uint8Array | number = 0): Buffer {
  const header = Buffer.alloc(12)
  header[1] = type
  header.writeUInt16BE(flags, 2)
  header.writeUInt32BE(stream, 4)
  header.writeUInt32BE(typeof payload === 'number' ? payload : payload.length, 8)
  return Buffer.concat([header, typeof payload === 'number' ? new Uint8Array(0) : payload])
}
const message = (text: string): Buffer =>
  Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(`${text}\n`)])
const multistream = message('/multistream/1.0.0')

function setUp(open: number[] = []) {
  const events = new EventTarget()
  const abort = vi.fn<(error: Error) => void>()
  const guard = new FrameGuard(true, {
    protocols: () => ['/call', '/kad'],
    prefixed: { '/kad': { perSecond: 1, burst: 10 } },
    clock: { now: () => 0, monotonic: () => 0 },
  })
  guard.muxer = { streams: open.map((id) => ({ id: String(id) })) as never }
  watchFrames({ addEventListener: events.addEventListener.bind(events) as never, abort }, guard)
  const seen: unknown[] = []
  events.addEventListener('message', (event) => seen.push(event))
  const receive = (bytes: Uint8Array | Uint8Array[]): void => {
    events.dispatchEvent(Object.assign(new Event('message', { cancelable: true }), { data: bytes }))
  }
  return { abort, receive, seen, refused: () => abort.mock.calls.map(([error]) => error.message) }
}

test('a frame that announces more than a window is cut by its header, and the library never sees it', () => {
  for (const length of [MAX_STREAM_WINDOW_BYTES + 1, 2 ** 31, 2 ** 32 - 1]) {
    const { abort, receive, seen } = setUp()
    receive(frame(data, 0, 3, length))
    expect(abort.mock.calls).toMatchObject([[{ reason: 'protocol_violation' }]])
    expect(seen).toEqual([])
  }
})

test('frames of every legal length pass, however they are cut', () => {
  const lengths = fc.array(fc.nat(5_000), { minLength: 1, maxLength: 20 })
  const check = (payloads: number[], cuts: number[]): void => {
    const { abort, receive, seen } = setUp()
    // Payloads look like headers of forbidden frames.
    const bytes = Buffer.concat([
      frame(data, syn, 3, Buffer.concat([multistream, message('/call')])),
      ...payloads.flatMap((length) => [
        frame(data, 0, 3, Buffer.alloc(length, 0xff)),
        frame(windowUpdate, ack, 3, 2 ** 32 - 1),
      ]),
    ])
    let at = 0
    for (const cut of cuts) receive(bytes.subarray(at, (at += cut)))
    receive([bytes.subarray(at)])
    expect([abort.mock.calls.length, seen.length]).toEqual([0, cuts.length + 1])
    receive(frame(data, 0, 3, MAX_STREAM_WINDOW_BYTES + 1))
    expect(abort).toHaveBeenCalledOnce()
  }
  fc.assert(fc.property(lengths, fc.array(fc.nat(100), { maxLength: 50 }), check))
})

test('pings beyond the burst cut the connection; their answers do not count', () => {
  const { abort, receive } = setUp()
  for (let n = 0; n < 1_000; n += 1) receive(frame(ping, ack, 0, n))
  for (let n = 0; n < YAMUX_PING_BURST; n += 1) receive(frame(ping, syn, 0, n))
  expect(abort).not.toHaveBeenCalled()
  receive(frame(ping, syn, 0, 0))
  expect(abort.mock.calls).toMatchObject([[{ reason: 'protocol_violation' }]])
})

test('the protocol of a stream is negotiated in few and short messages', () => {
  for (const bytes of [
    Buffer.from([0xff, 0xff, 0xff]),
    Buffer.concat([multistream, Buffer.from([0x80, 0x80, 0x01])]),
    Buffer.concat([multistream, Buffer.from([0x81, 0x08])]),
    Buffer.concat(Array.from({ length: MAX_NEGOTIATION_MESSAGES + 1 }, () => message('/unknown'))),
    Buffer.concat(Array.from({ length: MAX_NEGOTIATION_MESSAGES + 1 }, () => multistream)),
    Buffer.alloc(MAX_NEGOTIATION_MESSAGES + 1),
  ]) {
    const { receive, refused } = setUp()
    for (const byte of frame(data, syn, 3, bytes)) receive(Uint8Array.of(byte))
    expect(refused().length).toBeGreaterThan(0)
  }
})

test('then bytes are free, unless the library reads them by their lengths', () => {
  const free = setUp()
  free.receive(frame(data, syn, 3, Buffer.concat([multistream, message('/call'), Buffer.alloc(50, 0xff)])))
  free.receive(frame(data, 0, 3, Buffer.alloc(50, 0xff)))
  expect(free.refused()).toEqual([])

  const prefixed = setUp()
  const long = Buffer.concat([Buffer.from([0x80, 0x80, 0x08]), Buffer.alloc(2 ** 17, 0xff)])
  prefixed.receive(frame(data, syn, 3, Buffer.concat([multistream, message('/kad'), message('x')])))
  prefixed.receive(frame(data, 0, 3, long))
  expect(prefixed.refused()).toEqual([])
  for (const endless of [Buffer.alloc(10, 0xff), Buffer.from([0xff, 0xff, 0xff, 0x7f])]) {
    const { receive, refused } = setUp()
    receive(frame(data, syn, 3, Buffer.concat([multistream, message('/kad'), endless])))
    expect(refused().length).toBe(1)
  }
})

test('messages that the library reads are counted for each connection', () => {
  const { receive, refused } = setUp()
  const two = Buffer.concat([multistream, message('/kad'), message('x'), message('y')])
  for (let id = 3; id < 13; id += 2) receive(frame(data, syn, id, two))
  expect(refused()).toEqual([])
  receive(frame(data, 0, 3, message('z')))
  expect(refused()).toEqual(['Too much of /kad came.'])
})

test('answers on streams that we opened are looked at in the same way', () => {
  const { receive, refused } = setUp([2, 4])
  receive(
    frame(data, ack, 2, Buffer.concat([multistream, message('na'), message('/call'), Buffer.alloc(9, 0xff)])),
  )
  expect(refused()).toEqual([])
  // Nobody opened it: the library ignores it, and it costs nothing here.
  receive(frame(data, 0, 6, Buffer.alloc(10, 0xff)))
  expect(refused()).toEqual([])
  receive(frame(data, ack, 4, Buffer.alloc(10, 0xff)))
  expect(refused().length).toBe(1)
})

test('after its end a stream has no more bytes, after its reset it may begin again', () => {
  const { receive, refused } = setUp()
  receive(frame(data, syn | fin, 3, message('/multistream/1.0.0')))
  receive(frame(data, 0, 3, Buffer.alloc(1)))
  expect(refused()).toEqual(['Bytes came after the end of their stream.'])

  const again = setUp()
  again.receive(frame(data, syn, 3, Buffer.concat([multistream, message('/call')])))
  again.receive(frame(windowUpdate, rst, 3, 0))
  again.receive(frame(data, syn, 3, Buffer.alloc(10, 0xff)))
  expect(again.refused().length).toBe(1)
})

test('streams that are gone are forgotten, those that are open are not', () => {
  const { receive, refused } = setUp([3])
  receive(frame(data, syn, 3, multistream))
  for (let id = 5; id < 100 * MAX_INBOUND_STREAMS; id += 2) receive(frame(windowUpdate, syn, id, 0))
  receive(frame(data, 0, 3, Buffer.from([0xff, 0xff, 0xff])))
  expect(refused().length).toBe(1)
})
