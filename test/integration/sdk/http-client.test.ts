import { expect, test } from 'vitest'
import type { NodeEvent } from '../../../src/model/views.ts'
import { HttpClient } from '../../../src/sdk/index.ts'
import { startDevice } from './support/device.ts'

test.each([true, false])('every route has a method (Unix socket: %s)', async (withSocket) => {
  await using device = await startDevice(withSocket)
  using api = await HttpClient.open({ home: device.home })
  const { node } = device.server()
  expect(await api.status()).toMatchObject({ schema: 'status/1', name: 'stub' })
  expect(await api.peers()).toMatchObject([{ name: 'stub' }])
  expect(await api.ping('stub')).toMatchObject({ rttMs: 1 })
  expect(await api.blockPeer('stub', true)).toMatchObject({ blocked: true })
  expect(await api.blockPeer('stub', false)).toMatchObject({ blocked: false })
  expect(await api.functions({ q: 'x' })).toEqual([])
  expect(await api.function('far.away')).toMatchObject({ name: 'far.away' })
  await expect(api.function('nope')).rejects.toMatchObject({ reason: 'unknown_function', code: 'not_found' })
  await expect(api.ping('nobody/else')).rejects.toMatchObject({ reason: 'unknown_peer' })

  node.builtIn['bytes'] = () => new Uint8Array([1, 2])
  const mesh = await device.connect()
  const { id } = await mesh.callWithInfo('bytes')
  await mesh.close()
  expect(await api.calls()).toMatchObject([{ id, state: 'done' }])
  expect(await api.callRecord(id)).toMatchObject({ result: new Uint8Array([1, 2]) })
  await expect(api.cancelCall(id)).rejects.toMatchObject({ reason: 'unknown_call' })
  await api.shutdown()
  await expect.poll(() => node.shutdowns()).toBe(1)
})

test('events come as they happen, and go on after the last one seen', async () => {
  await using device = await startDevice()
  using api = await HttpClient.open({ home: device.home })
  const { node } = device.server()
  node.emit('peer:connect')
  node.emit('peer:disconnect')
  const seen: NodeEvent[] = []
  const controller = new AbortController()
  for await (const event of api.events({ after: 1, signal: controller.signal })) {
    seen.push(event)
    if (seen.length === 1) node.emit('call:start')
    else controller.abort()
  }
  expect(seen.map(({ id, type }) => [id, type])).toEqual([
    [2, 'peer:disconnect'],
    [3, 'call:start'],
  ])
})

test('a request ends with its deadline and with its signal', async () => {
  await using device = await startDevice()
  using api = await HttpClient.open({ home: device.home })
  device.server().node.ping = () => new Promise(() => {})
  await expect(api.ping('stub', { timeoutMs: 100 })).rejects.toMatchObject({ reason: 'deadline_exceeded' })
  const signal = AbortSignal.timeout(50)
  await expect(api.ping('stub', { signal })).rejects.toMatchObject({ reason: 'deadline_exceeded' })
  await expect(api.ping('stub', { signal: AbortSignal.abort() })).rejects.toMatchObject({
    reason: 'cancelled',
  })
})

test('a daemon that died is unreachable, with the place that was tried', async () => {
  await using device = await startDevice()
  using api = await HttpClient.open({ home: device.home })
  await device.stop()
  await expect(api.status()).rejects.toMatchObject({ reason: 'daemon_unreachable', hint: 'easynet up' })
  await device.start()
})
