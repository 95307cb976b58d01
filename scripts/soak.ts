// `npm run soak`: real daemons and programs under steady load, with peers and programs that come and go.
// Fails when something grows, when a verdict is wrong, or when a process reports an error.
import { mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startChurn } from './soak/churn.ts'
import { growthOf, growthTable, moreListeners, type Sample } from './soak/growth.ts'
import type { Held } from './soak/probe.ts'
import { type Daemon, type Running, startDaemon, startProgram } from './soak/processes.ts'
import type { Order, Report } from './soak/program.ts'

const USAGE = `Usage: npm run soak [-- OPTION]

  --minutes N   how long (default 10)
  --rate N      calls per second in all (default 50)
  --settle N    minutes before anything is measured (default 3, or 0.3 of the time when that is less)
  --keep        leave the homes and logs, and say where
  --help        this text
`
const SAMPLE_MS = 5_000
const TELL_MS = 30_000
/** More than any daemon remembers of calls, so that growing to that limit is over when measuring begins. */
const FILL_CALLS = 10_500

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.abort(signal))
process.exit(await main(process.argv.slice(2)))

async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv)
  if (options === undefined) return 2
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'easynet-soak-')))
  try {
    const failures = await soak(folder, options)
    if (interrupted.signal.aborted) return 130
    for (const failure of failures) console.log(`FAIL  ${failure}`)
    console.log(
      failures.length === 0
        ? 'soak: nothing grows, every verdict was right'
        : `soak: ${failures.length} failures`,
    )
    return failures.length === 0 ? 0 : 1
  } finally {
    if (options.keep) console.log(`homes and logs: ${folder}`)
    else rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

function readOptions(argv: string[]) {
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({
      args: argv,
      options: {
        minutes: text,
        rate: text,
        settle: text,
        keep: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
    const minutes = positive(values.minutes ?? '10')
    const settle = positive(values.settle ?? String(Math.min(3, 0.3 * minutes)))
    if (values.help !== true)
      return { minutes, settle, rate: positive(values.rate ?? '50'), keep: values.keep === true }
    process.stdout.write(USAGE)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  }
  return undefined
}

function positive(text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new Error(`"${text}" is not a number above 0.`)
}

interface SoakOptions {
  minutes: number
  settle: number
  rate: number
}

/** Resolves with everything that went wrong. */
async function soak(folder: string, { minutes, settle, rate }: SoakOptions): Promise<string[]> {
  const failures: string[] = []
  await using stack = new AsyncDisposableStack()
  const first = stack.use(await startDaemon(join(folder, 'first'), 'first', { isWatched: true }))
  const bootstrap = first.address
  const second = stack.use(
    await startDaemon(join(folder, 'second'), 'second', { bootstrap, isWatched: true }),
  )
  const workers = [
    { program: stack.use(await startProgram(first.home, 'one', 'worker')), peer: second.name },
    { program: stack.use(await startProgram(second.home, 'two', 'worker')), peer: first.name },
  ].map((worker) => ({ ...worker, reports: listen(worker.program) }))
  const watched: Running[] = [first, second, ...workers.map(({ program }) => program)]
  let isStopping = false
  for (const running of watched) {
    void running.ended.then(({ code, signal }) => {
      if (!isStopping) failures.push(`${running.title} ended with ${code ?? signal}`)
    })
  }

  await Promise.all(workers.map(async ({ reports, peer }) => reports.fillUp({ peer, calls: FILL_CALLS })))
  const startedAt = performance.now()
  const minutesNow = (): number => (performance.now() - startedAt) / 60_000
  const churn = startChurn({ folder, hosts: [first, second], onTrouble: (what) => failures.push(what) })
  for (const { reports, peer } of workers) reports.order({ start: { peer, rate: rate / workers.length } })

  const samples = new Map(watched.map((running) => [running, [] as { minutes: number; sample: Sample }[]]))
  const listeners = new Map<Running, { first: Held['listenersOf']; last: Held['listenersOf'] }>()
  let toldAt = performance.now()
  while (minutesNow() < minutes && !interrupted.signal.aborted) {
    await sleep(SAMPLE_MS, undefined, { signal: interrupted.signal }).catch(() => undefined)
    for (const running of watched) {
      const { listenersOf: last, ...held } = await running.probe()
      if (minutesNow() >= settle)
        listeners.set(running, { first: listeners.get(running)?.first ?? last, last })
      samples.get(running)?.push({ minutes: minutesNow(), sample: sampleOf(running, held) })
    }
    if (performance.now() - toldAt < TELL_MS) continue
    toldAt = performance.now()
    const made = workers.map(
      ({ reports }) => `${sum(reports.last.counts)} calls, slowest ${reports.last.slowestMs.toFixed(0)} ms`,
    )
    const heaps = watched.map((running) =>
      ((samples.get(running)?.at(-1)?.sample.heapBytes ?? 0) / 1e6).toFixed(1),
    )
    const { daemons, programs } = churn.counts
    console.log(
      `${minutesNow().toFixed(1)} min  ${made.join(' / ')}  heaps ${heaps.join(' ')} MB  ${daemons} daemons and ${programs} programs came`,
    )
  }

  isStopping = true
  const reports = await Promise.all(
    workers.map(async (worker) => ({ ...worker, report: await worker.reports.stop() })),
  )
  await churn.stop()
  for (const { program, report } of reports) {
    const { counts, wrong, wrongCount } = report
    console.log(
      `${program.title}: ${Object.entries(counts)
        .map(([kind, count]) => `${kind} ${count}`)
        .join(', ')}`,
    )
    failures.push(...wrong.map((what) => `${program.title}: ${what}`))
    if (wrongCount > wrong.length)
      failures.push(`${program.title}: ${wrongCount - wrong.length} more wrong verdicts`)
  }
  for (const running of watched) {
    failures.push(...running.troubles)
    const measured = samples.get(running)?.filter((sample) => sample.minutes >= settle) ?? []
    if (interrupted.signal.aborted) continue
    const growths = growthOf(measured)
    const { first, last } = listeners.get(running) ?? { first: {}, last: {} }
    console.log(`\n${growthTable(running.title, growths)}\nmore listeners: ${moreListeners(first, last)}`)
    for (const { quantity, grows } of growths) if (grows) failures.push(`${running.title}: ${quantity} grows`)
  }
  for (const daemon of [second, first]) {
    const { code } = await daemon.end('SIGTERM')
    if (code !== 0) failures.push(`${daemon.title} ended with ${code}`)
  }
  return failures
}

function sampleOf(running: Running, held: Omit<Held, 'listenersOf'>): Sample {
  const kept =
    'home' in running ? databasesOf(running as Daemon) : { databaseBytes: 0, calls: 0, executions: 0 }
  return { ...held, ...kept, descriptors: running.descriptors() }
}

function databasesOf({ home }: Daemon): Pick<Sample, 'databaseBytes' | 'calls' | 'executions'> {
  const files = ['easynet.db', 'journal.db'].map((file) => join(home, 'state', file))
  const bytes = files
    .flatMap((file) => [file, `${file}-wal`])
    .map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
  const count = (file: string | undefined, table: string): number => {
    using database = new DatabaseSync(file ?? '', { readOnly: true, timeout: 2_000 })
    return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])
  }
  return {
    databaseBytes: bytes.reduce((all, size) => all + size, 0),
    calls: count(files[0], 'calls'),
    executions: count(files[1], 'executions'),
  }
}

interface Reports {
  last: Report
  order(order: Order): void
  fillUp(what: NonNullable<Order['fill']>): Promise<void>
  stop(): Promise<Report>
}

/** What a worker says over its channel. */
function listen({ child }: Running): Reports {
  const filled = Promise.withResolvers<void>()
  const stopped = Promise.withResolvers<Report>()
  const reports: Reports = {
    last: { counts: {}, wrong: [], wrongCount: 0, running: 0, slowestMs: 0 },
    order: (order) => void child.send(order),
    async fillUp(what) {
      child.send({ fill: what } satisfies Order)
      await filled.promise
    },
    async stop() {
      child.send({ stop: true } satisfies Order)
      return stopped.promise
    },
  }
  child.on('message', (message: { report?: Report; filled?: boolean; stopped?: boolean }) => {
    if (message.report !== undefined) reports.last = message.report
    if (message.filled === true) filled.resolve()
    if (message.stopped === true) stopped.resolve(reports.last)
  })
  child.once('exit', () => {
    filled.resolve()
    stopped.resolve(reports.last)
  })
  return reports
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0)
}
