// A program of the soak test, as a process of its own: `program.ts HOME NAME MODE`. A worker offers functions
// and, told over the IPC channel to start, calls those of another device; the others only offer.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  connect,
  EasyNetError,
  type FunctionDefinition,
  HttpClient,
  type Reason,
} from '../../src/sdk/index.ts'
import { guestFunctions, visitorFunctions, workerFunctions } from './functions.ts'
import { KINDS, type Kind } from './kinds.ts'

export interface Order {
  /** Call functions of this device, so many times per second, until `stop`. */
  start?: { peer: string; rate: number }
  /** Make so many small calls first, as fast as it goes: what is remembered of calls is full afterwards. */
  fill?: { peer: string; calls: number }
  stop?: true
}

/** A call that did not end as it should. */
export interface Wrong {
  what: string
  /** Of the error, when it is one of ours. */
  reason?: Reason
  /** Epoch ms. */
  from: number
  to: number
}

export interface Report {
  /** Calls that ended as they should, by kind. */
  counts: Record<string, number>
  wrong: Wrong[]
  running: number
  /** Longest time that a small call took. */
  slowestMs: number
}

const MAX_RUNNING = 1_000
/** Further ones are left out: the run has failed by then. */
const MAX_TOLD = 2_000
const TICK_MS = 10
const FILL_AT_ONCE = 64

const [home = '', name = '', mode = ''] = process.argv.slice(2)
const mesh = await connect({ home, client: name })
const FUNCTIONS: Record<string, () => FunctionDefinition[]> = {
  worker: workerFunctions,
  visitor: visitorFunctions,
  guest: guestFunctions,
}
await mesh.registerAll(FUNCTIONS[mode]?.() ?? [])
if (mode === 'worker') work()
else {
  process.on('SIGTERM', () => {
    void mesh.close().then(() => process.exit(0))
  })
}
process.stdout.write('ready\n')

function work(): void {
  const report: Report = { counts: {}, wrong: [], running: 0, slowestMs: 0 }
  const deck = KINDS.flatMap((kind) => Array.from({ length: kind.weight }, () => kind))
  const http = HttpClient.open({ home })
  let timer: NodeJS.Timeout | undefined
  let made = 0

  const tell = (what: string, ms: number, reason?: Reason): void => {
    const to = Date.now()
    const wrong = { what, from: to - ms, to, ...(reason === undefined ? {} : { reason }) }
    if (report.wrong.length < MAX_TOLD) report.wrong.push(wrong)
  }
  const make = async (kind: Kind, peer: string): Promise<void> => {
    made += 1
    const key = `${name}-${made}`
    report.running += 1
    const startedAt = performance.now()
    try {
      await kind.run({ mesh, api: await http, peer, key })
      report.counts[kind.name] = (report.counts[kind.name] ?? 0) + 1
    } catch (error) {
      const ms = performance.now() - startedAt
      const reason = error instanceof EasyNetError ? error.reason : undefined
      tell(`${kind.name} ${key} after ${Math.round(ms)} ms: ${describe(error)}`, ms, reason)
    }
    report.running -= 1
    if (kind.name === 'small') report.slowestMs = Math.max(report.slowestMs, performance.now() - startedAt)
  }
  const start = ({ peer, rate }: { peer: string; rate: number }): void => {
    const startedAt = performance.now()
    let due = 0
    timer = setInterval(() => {
      const target = ((performance.now() - startedAt) / 1_000) * rate
      for (; due < target; due += 1) {
        const kind = deck[due % deck.length] as Kind
        if (report.running < MAX_RUNNING) void make(kind, peer)
        else tell(`${report.running} calls are running: it does not keep up`, 0)
      }
    }, TICK_MS)
  }
  const fill = async ({ peer, calls }: { peer: string; calls: number }): Promise<void> => {
    while (
      !(await mesh.functions('soak.upper')).some(({ providers }) =>
        providers.some((one) => one.name === peer),
      )
    )
      await sleep(TICK_MS)
    const small = KINDS.find((kind) => kind.name === 'small') as Kind
    let left = calls
    const lane = async (): Promise<void> => {
      for (; left > 0; left -= 1) await make(small, peer)
    }
    await Promise.all(Array.from({ length: FILL_AT_ONCE }, lane))
    report.slowestMs = 0
    process.send?.({ filled: true })
  }
  const stop = async (): Promise<void> => {
    clearInterval(timer)
    while (report.running > 0) await sleep(TICK_MS)
    process.send?.({ stopped: true, report })
  }
  process.on('message', (order: Order) => {
    if (order.start !== undefined) start(order.start)
    if (order.fill !== undefined) void fill(order.fill)
    if (order.stop === true) void stop()
  })
  setInterval(() => {
    process.send?.({ report })
    report.slowestMs = 0
  }, 1_000)
}

function describe(error: unknown): string {
  if (error instanceof EasyNetError) return `${error.reason}: ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
