import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { EasyNetError } from '../../../src/errors/error.ts'
import type { CallOptions, CallRecord } from '../../../src/sdk/index.ts'
import { superviseGroup } from '../../../src/sdk/supervise.ts'
import { eventually } from '../support/eventually.ts'
import { type Device, startDevice } from './support/device.ts'

test('functions are registered again when the daemon comes back', async () => {
  await using device = await startDevice()
  const events: string[] = []
  await using provider = await device.connect({
    onDisconnect: ({ reason }) => events.push(reason),
    onReconnect: () => events.push('back'),
  })
  await provider.register('one', () => 1)
  await device.stop()
  await sleep(300)
  await device.start()
  await eventually(() => device.server().node.runners.has('one'))
  await using caller = await device.connect()
  expect(await caller.call('one')).toBe(1)
  await eventually(() => events.includes('back'))
  expect(events[0]).toBe('daemon_unreachable')
})

test('a program that only calls connects again with its next call', async () => {
  await using device = await startDevice()
  await using caller = await device.connect()
  await device.stop()
  const waiting = caller.call('one')
  await sleep(100)
  await device.start((node) => (node.builtIn['one'] = () => 1))
  expect(await waiting).toBe(1)
})

test('a call that was running is not repeated: its outcome is asked for', async () => {
  await using device = await startDevice()
  await using caller = await device.connect()
  let runs = 0
  device.server().node.builtIn['slow'] = async (_request, _sink, signal) => {
    runs += 1
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('gone'))))
  }
  let id = ''
  const running = caller.callWithInfo('slow', [], { onAccepted: (given) => (id = given) })
  const failed = expect(running).rejects.toMatchObject({ reason: 'interrupted' })
  await eventually(() => id)
  await device.stop()
  await device.start((node) => {
    node.callRecord = async (asked) => ({
      id: asked,
      fn: 'slow',
      role: 'caller',
      state: 'interrupted',
      startedAt: 1,
    })
  })
  await failed
  expect(runs).toBe(1)
})

test('a call that finished meanwhile returns its result', async () => {
  await using device = await startDevice()
  await using caller = await device.connect()
  device.server().node.builtIn['slow'] = () => new Promise(() => {})
  let id = ''
  const running = caller.callWithInfo('slow', [], { onAccepted: (given) => (id = given) })
  await eventually(() => id)
  await device.stop()
  let asked = 0
  await device.start((node) => {
    node.callRecord = async (of) => {
      asked += 1
      const state = asked < 3 ? 'running' : 'done'
      return {
        id: of,
        fn: 'slow',
        role: 'caller',
        state,
        startedAt: 1,
        endedAt: 5,
        result: new Uint8Array([7]),
      }
    }
  })
  expect(await running).toMatchObject({ id, recovered: true, durationMs: 4, result: new Uint8Array([7]) })
})

/** A call whose daemon dies while it runs, and what the next daemon knows of it. */
async function callThatOutlivesItsDaemon(
  device: Device,
  knows: (asked: number, id: string) => Partial<CallRecord> | EasyNetError,
  options: CallOptions = {},
) {
  const caller = await device.connect()
  onTestFinished(async () => caller.close())
  device.server().node.builtIn['slow'] = () => new Promise(() => {})
  const ids: string[] = []
  const result = caller.callWithInfo('slow', [], { ...options, onAccepted: (id) => ids.push(id) })
  result.catch(() => undefined)
  await eventually(() => ids.length === 1)
  await device.stop()
  let asked = 0
  await device.start((node) => {
    node.builtIn['slow'] = () => 'made anew'
    node.callRecord = async (id) => {
      const known = knows((asked += 1), id)
      if (known instanceof EasyNetError) throw known
      return { id, fn: 'slow', role: 'caller', state: 'unknown', startedAt: 1, ...known }
    }
  })
  return { result, ids }
}
const neverSent = new EasyNetError('peer_unreachable', 'The call never reached the provider.').toJSON()

test.each<[string, Partial<CallRecord> | EasyNetError]>([
  ['that never ran', { state: 'failed', error: neverSent }],
  ['of an idempotent function that was cut off', { state: 'interrupted', idempotent: true }],
  ['of an idempotent function whose provider is away', { state: 'unknown', idempotent: true }],
  ['of an idempotent function whose result is gone', { state: 'done', idempotent: true }],
  // What must not run twice is in the books before it is sent.
  ['that is not in the books', new EasyNetError('unknown_call', 'No call with the id is known here.')],
])('a call %s is made anew when the daemon is back', async (_, known) => {
  await using device = await startDevice()
  const { result, ids } = await callThatOutlivesItsDaemon(device, () => known)
  expect(await result).toMatchObject({ result: 'made anew' })
  expect(ids).toHaveLength(2)
})

test('a call that must not run twice is asked for until somebody knows', async () => {
  await using device = await startDevice()
  const { result, ids } = await callThatOutlivesItsDaemon(device, (asked) =>
    asked < 3 ? { state: 'unknown', idempotent: false } : { state: 'done', result: 'the first' },
  )
  expect(await result).toMatchObject({ result: 'the first', recovered: true })
  expect(ids).toHaveLength(1)
})

test('when nobody knows until the deadline, the outcome is unknown', async () => {
  await using device = await startDevice()
  const { result } = await callThatOutlivesItsDaemon(device, () => ({ state: 'unknown' }), { timeoutMs: 500 })
  await expect(result).rejects.toMatchObject({ reason: 'outcome_unknown' })
})

test('a call that fed a stream to the function is not made anew', async () => {
  await using device = await startDevice()
  const input = { async *[Symbol.asyncIterator]() {} }
  const { result } = await callThatOutlivesItsDaemon(device, () => ({ state: 'failed', error: neverSent }), {
    input,
  })
  await expect(result).rejects.toMatchObject({ reason: 'interrupted' })
})

test('running functions are told that their caller is gone', async () => {
  await using device = await startDevice()
  await using provider = await device.connect()
  await using caller = await device.connect()
  let reason: unknown
  await provider.register('wait', async (ctx: { signal: AbortSignal }) => {
    await sleep(60_000, undefined, { signal: ctx.signal }).catch(() => (reason = ctx.signal.reason))
  })
  caller.call('wait', [], { timeoutMs: 500 }).catch(() => undefined)
  await eventually(() => device.server().node.lastSignal())
  await sleep(50)
  await device.stop()
  await eventually(() => reason)
  expect(reason).toBeInstanceOf(EasyNetError)
  expect(reason).toMatchObject({ reason: 'interrupted' })
  await device.start()
})

test('after close() nothing is left to wait for', async () => {
  await using device = await startDevice()
  const mesh = await device.connect()
  await mesh.register('one', () => 1)
  const running = mesh.call('nothing-comes-back')
  device.server().node.builtIn['nothing-comes-back'] = () => new Promise(() => {})
  const failed = expect(running).rejects.toMatchObject({ reason: 'cancelled' })
  await mesh.close()
  await failed
  await expect(mesh.call('one')).rejects.toMatchObject({ reason: 'cancelled' })
  await eventually(() => !device.server().node.runners.has('one'))
})

test('a supervisor is asked to end the process of its group', async () => {
  await using device = await startDevice()
  const killed: string[] = []
  await using supervisor = await superviseGroup({
    target: { home: device.home },
    group: 'g1',
    kill: (reason) => killed.push(reason),
  })
  expect(await supervisor.functions()).toEqual([])
  process.env['EASYNET_GROUP'] = 'g1'
  await using provider = await device.connect()
  delete process.env['EASYNET_GROUP']
  await provider.register('stuck', () => sleep(60_000, undefined, { ref: false }))
  device.server().node.runners.get('stuck')?.kill?.('deadline_exceeded')
  await eventually(() => killed.length > 0)
  expect(killed).toEqual(['deadline_exceeded'])
})
