import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMetrics, type NodeMetrics } from '../../../src/telemetry/metrics.ts'
import { parseMetrics } from '../support/prometheus.ts'

let metrics: NodeMetrics
beforeEach(() => {
  metrics = createMetrics()
  metrics.watch({
    running: () => 1,
    peers: () => 2,
    functions: () => 3,
    network: () => ({
      receivedBytes: 700,
      sentBytes: 50,
      connections: { inbound: 1, outbound: 2 },
      streams: { '/easynet/call/1': 4 },
      dialQueue: 5,
      dhtPeers: 6,
      gossipPeers: 7,
    }),
    isOwn: (fn) => fn.startsWith('own.'),
  })
})
afterEach(() => metrics[Symbol.dispose]())

const read = async () => parseMetrics(await metrics.text())

test('calls are counted by role, function and code', async () => {
  metrics.ended('caller', 'a', undefined, 2)
  metrics.ended('caller', 'a', undefined, 3)
  metrics.ended('provider', 'own.b', 'unavailable', 1_500)
  const { value } = await read()
  expect(value('easynet_calls_total', { role: 'caller', fn: 'a', code: 'ok' })).toBe(2)
  expect(value('easynet_calls_total', { role: 'provider', fn: 'own.b', code: 'unavailable' })).toBe(1)
  expect(value('easynet_call_duration_seconds_count', { role: 'caller' })).toBe(2)
  expect(value('easynet_call_duration_seconds_sum', { role: 'provider' })).toBe(1.5)
  expect(value('easynet_call_duration_seconds_bucket', { role: 'caller', le: '0.0025' })).toBe(1)
})

test('the names of functions are bounded', async () => {
  for (let number = 0; number < 300; number += 1) metrics.ended('caller', `theirs.${number}`, undefined, 1)
  for (let number = 0; number < 1_200; number += 1) metrics.ended('provider', `own.${number}`, undefined, 1)
  const { samples, value } = await read()
  const names = (prefix: string) =>
    samples.filter(({ name, labels }) => name === 'easynet_calls_total' && labels['fn']?.startsWith(prefix))
      .length
  expect([names('theirs.'), names('own.')]).toEqual([100, 1_000])
  expect(value('easynet_calls_total', { role: 'caller', fn: 'other' })).toBe(200)
  expect(value('easynet_calls_total', { role: 'provider', fn: 'other' })).toBe(200)
})

test('names with quotes and line ends do not break the text', async () => {
  metrics.ended('caller', 'a"b\\c\nd', undefined, 1)
  expect((await read()).value('easynet_calls_total', { fn: 'a"b\\c\nd' })).toBe(1)
})

test('the node and the process are described', async () => {
  const { value, samples } = await read()
  expect(value('easynet_calls_running')).toBe(1)
  expect(value('easynet_peers')).toBe(2)
  expect(value('easynet_functions')).toBe(3)
  expect(value('easynet_network_bytes_total', { direction: 'received' })).toBe(700)
  expect(value('easynet_network_bytes_total', { direction: 'sent' })).toBe(50)
  expect(value('libp2p_connections', { direction: 'outbound' })).toBe(2)
  expect(value('libp2p_streams', { protocol: '/easynet/call/1' })).toBe(4)
  expect(['dial_queue', 'dht_peers', 'gossip_peers'].map((name) => value(`libp2p_${name}`))).toEqual([
    5, 6, 7,
  ])
  expect(value('easynet_event_loop_lag_seconds', { quantile: '0.99' })).toBeGreaterThanOrEqual(0)
  const names = new Set(samples.map(({ name }) => name))
  expect(names).toContain('process_cpu_seconds_total')
  expect(names).toContain('process_resident_memory_bytes')
  expect(names).toContain('nodejs_active_handles_total')
})

test('two nodes of one process have numbers of their own', async () => {
  using other = createMetrics()
  other.ended('caller', 'a', undefined, 1)
  expect((await read()).samples.filter(({ name }) => name === 'easynet_calls_total')).toEqual([])
})
