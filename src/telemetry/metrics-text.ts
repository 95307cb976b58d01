import { monitorEventLoopDelay } from 'node:perf_hooks'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { BUCKETS, type CallTally, type Durations, type Role } from './call-tally.ts'

/** What is looked at when somebody reads the numbers. */
export interface Watched {
  running: () => number
  peers: () => number
  functions: () => number
  network: () => NetworkNumbers
  /** True for a function of this device. */
  isOwn: (fn: string) => boolean
}

/** What the network layer knows of itself. */
export interface NetworkNumbers {
  receivedBytes: number
  sentBytes: number
  connections: Record<'inbound' | 'outbound', number>
  /** Open streams by protocol. */
  streams: Record<string, number>
  dialQueue: number
  dhtPeers: number
  gossipPeers: number
}

/** The numbers of a node and of its process as text. */
export interface MetricsText extends Disposable {
  read(): Promise<string>
}

const LAG_QUANTILES = [50, 99, 100]
/** The timer that measures wakes the processor, so not more often than it says something. */
const LAG_RESOLUTION_MS = 50
const ROLES: readonly Role[] = ['caller', 'provider']

export function createMetricsText(tally: CallTally, watched: () => Watched | undefined): MetricsText {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_RESOLUTION_MS })
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()

  const gauge = (name: string, help: string, read: (node: Watched) => number): void => {
    const collect = function (this: Gauge): void {
      const node = watched()
      this.set(node === undefined ? 0 : read(node))
    }
    registry.registerMetric(new Gauge({ name, help, registers: [], collect }))
  }
  const labelled = (
    name: string,
    help: string,
    label: string,
    read: (numbers: NetworkNumbers) => Record<string, number>,
  ): void => {
    const collect = function (this: Gauge): void {
      const node = watched()
      this.reset()
      if (node === undefined) return
      for (const [value, count] of Object.entries(read(node.network()))) this.set({ [label]: value }, count)
    }
    registry.registerMetric(new Gauge({ name, help, labelNames: [label], registers: [], collect }))
  }
  gauge('easynet_calls_running', 'Calls that are made or run right now.', (node) => node.running())
  gauge('easynet_peers', 'Connected peers.', (node) => node.peers())
  gauge('easynet_functions', 'Functions that this device offers.', (node) => node.functions())
  gauge(
    'libp2p_dial_queue',
    'Peers and addresses that wait to be dialled.',
    (node) => node.network().dialQueue,
  )
  gauge('libp2p_dht_peers', 'Peers in the routing table of the DHT.', (node) => node.network().dhtPeers)
  gauge('libp2p_gossip_peers', 'Peers that gossip is exchanged with.', (node) => node.network().gossipPeers)
  labelled('libp2p_connections', 'Open connections.', 'direction', ({ connections }) => connections)
  labelled('libp2p_streams', 'Open streams by protocol.', 'protocol', ({ streams }) => streams)
  const bytes = new Counter({
    name: 'easynet_network_bytes_total',
    help: 'Bytes of the connections to other devices, as they were on the wire.',
    labelNames: ['direction'],
    registers: [],
    collect() {
      const numbers = watched()?.network()
      this.reset()
      this.inc({ direction: 'received' }, numbers?.receivedBytes ?? 0)
      this.inc({ direction: 'sent' }, numbers?.sentBytes ?? 0)
    },
  })
  registry.registerMetric(bytes)
  const calls = new Counter({
    name: 'easynet_calls_total',
    help: 'Calls that ended, by role of this device, function and code (ok or the code of the error).',
    labelNames: ['role', 'fn', 'code'],
    registers: [],
    collect() {
      this.reset()
      for (const { count, ...labels } of tally.counts()) this.inc(labels, count)
    },
  })
  const lateness = new Gauge({
    name: 'easynet_event_loop_lag_seconds',
    help: 'How late the event loop was since the numbers were last read; quantile 1 is the worst.',
    labelNames: ['quantile'],
    registers: [],
    collect() {
      for (const percent of LAG_QUANTILES) {
        // What is measured contains the timer's own time.
        const late = lag.count === 0 ? 0 : lag.percentile(percent) / 1e9 - LAG_RESOLUTION_MS / 1_000
        this.set({ quantile: String(percent / 100) }, Math.max(0, late))
      }
      lag.reset()
    },
  })
  registry.registerMetric(calls)
  registry.registerMetric(lateness)

  return {
    read: async () => `${await registry.metrics()}\n${durationsText(tally)}`,
    [Symbol.dispose]() {
      lag.disable()
      registry.clear()
    },
  }
}

/** By hand: the buckets of a histogram of the library cannot be set, and filling them costs every call. */
function durationsText({ durations }: CallTally): string {
  const name = 'easynet_call_duration_seconds'
  const help = 'How long calls took: those made from the request to the answer, those run from start to end.'
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} histogram`,
    ...ROLES.flatMap((role) => histogramLines(name, role, durations[role])),
    '',
  ].join('\n')
}

function histogramLines(name: string, role: Role, { buckets, sum, count }: Durations): string[] {
  let below = 0
  const lines = BUCKETS.map((end, index) => {
    below += buckets[index] ?? 0
    return `${name}_bucket{le="${end}",role="${role}"} ${below}`
  })
  return [
    ...lines,
    `${name}_bucket{le="+Inf",role="${role}"} ${count}`,
    `${name}_sum{role="${role}"} ${sum}`,
    `${name}_count{role="${role}"} ${count}`,
  ]
}
