import { monitorEventLoopDelay } from 'node:perf_hooks'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Is told of every call that has ended. */
export interface CallCounter {
  /** @param code - of the error; undefined when the call returned */
  ended(role: 'caller' | 'provider', fn: string, code: string | undefined, durationMs: number): void
}

/** What is looked at when somebody reads the numbers. */
export interface Watched {
  running: () => number
  peers: () => number
  functions: () => number
  /** True for a function of this device. */
  isOwn: (fn: string) => boolean
}

/** Numbers of one node. Reading them is what costs; noting a call takes less than half a microsecond. */
export interface NodeMetrics extends CallCounter, Disposable {
  watch(node: Watched): void
  /** Media type of `text()`. */
  readonly contentType: string
  /** Everything in the Prometheus text format. */
  text(): Promise<string>
}

/** Functions of others that have numbers of their own; those beyond share `other`. */
const MAX_OTHER_FUNCTIONS = 100
/** The same for those of this device, which programs register and withdraw. */
const MAX_OWN_FUNCTIONS = 1_000
const OTHER = 'other'
const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
  300,
]
const LAG_QUANTILES = [50, 99, 100]
/** The timer that measures wakes the processor, so not more often than it says something. */
const LAG_RESOLUTION_MS = 50

export function createMetrics(): NodeMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_RESOLUTION_MS })
  let watched: Watched | undefined
  const label = createFunctionLabel((fn) => watched?.isOwn(fn) === true)
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()

  const calls = new Counter({
    name: 'easynet_calls_total',
    help: 'Calls that ended, by role of this device, function and code (ok or the code of the error).',
    labelNames: ['role', 'fn', 'code'],
    registers,
  })
  const durations = new Histogram({
    name: 'easynet_call_duration_seconds',
    help: 'How long calls took: those made from the request to the answer, those run from start to end.',
    labelNames: ['role'],
    buckets: SECONDS,
    registers,
  })
  const gauge = (name: string, help: string, read: (node: Watched) => number): void => {
    const collect = function (this: Gauge): void {
      this.set(watched === undefined ? 0 : read(watched))
    }
    registry.registerMetric(new Gauge({ name, help, registers: [], collect }))
  }
  gauge('easynet_calls_running', 'Calls that are made or run right now.', (node) => node.running())
  gauge('easynet_peers', 'Connected peers.', (node) => node.peers())
  gauge('easynet_functions', 'Functions that this device offers.', (node) => node.functions())
  const lateness = new Gauge({
    name: 'easynet_event_loop_lag_seconds',
    help: 'How late the event loop was since the numbers were last read; quantile 1 is the worst.',
    labelNames: ['quantile'],
    registers: [],
    collect() {
      for (const percent of LAG_QUANTILES) {
        // The measured time contains the timer's own; none was measured yet when it is empty.
        const late = lag.count === 0 ? 0 : lag.percentile(percent) / 1e9 - LAG_RESOLUTION_MS / 1_000
        this.set({ quantile: String(percent / 100) }, Math.max(0, late))
      }
      lag.reset()
    },
  })
  registry.registerMetric(lateness)

  return {
    ended(role, fn, code = 'ok', durationMs) {
      calls.inc({ role, fn: label(fn), code })
      durations.observe({ role }, durationMs / 1_000)
    },
    watch(node) {
      watched = node
    },
    contentType: registry.contentType,
    text: async () => registry.metrics(),
    [Symbol.dispose]() {
      lag.disable()
      registry.clear()
    },
  }
}

/** Names come from programs, without end; the numbers of each take memory for good. */
function createFunctionLabel(isOwn: (fn: string) => boolean): (fn: string) => string {
  const own = new Set<string>()
  const others = new Set<string>()
  return (fn) => {
    if (own.has(fn) || others.has(fn)) return fn
    const [known, limit] = isOwn(fn) ? [own, MAX_OWN_FUNCTIONS] : [others, MAX_OTHER_FUNCTIONS]
    if (known.size >= limit) return OTHER
    known.add(fn)
    return fn
  }
}
