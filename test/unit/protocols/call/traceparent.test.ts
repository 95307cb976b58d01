import { expect, test } from 'vitest'
import { decodeCall, encodeCall } from '../../../../src/protocols/call/codec.ts'
import { decodeCbor, encodeCbor } from '../../../../src/util/cbor.ts'

const header = {
  id: '01a20341-ef6b-701a-a7cb-8368eba05670',
  fn: 'text.upper',
  timeoutMs: 5_000,
  input: false,
  args: ['hi'],
  kwargs: {},
}
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
/** CALL as revision 1 had it: six places. */
const six = [header.id, header.fn, header.timeoutMs, header.input, [header.args, header.kwargs], []]

test('a trace context comes back', () => {
  const { payload } = encodeCall({ ...header, traceparent })
  expect(decodeCall(payload).skeleton).toEqual({ ...header, traceparent })
})

test('without one the frame is as it was before there were any', () => {
  expect(Buffer.compare(encodeCall(header).payload, encodeCbor(six))).toBe(0)
})

test('an older device finds everything that it knows in its place', () => {
  const { payload } = encodeCall({ ...header, traceparent })
  expect((decodeCbor(payload) as unknown[]).slice(0, 6)).toEqual(six)
})

test('the call of an older device is read', () => {
  expect(decodeCall(encodeCbor(six)).skeleton).toEqual({ ...header, traceparent: undefined })
})

test.each([['text'], [traceparent.toUpperCase()], [7], [null], [['00']], [{ at: 1 }]])(
  'a malformed one is as none: %j',
  (wrong) => {
    expect(decodeCall(encodeCbor([...six, wrong])).skeleton.traceparent).toBeUndefined()
  },
)
