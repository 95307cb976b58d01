// `npm run soak`: real daemons and programs under steady load, with peers and programs that come and go.
// Fails when something grows, when a verdict is wrong, or when a process reports an error.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startChurn } from './soak/churn.ts'
import { growthTable, type Quantity } from './soak/growth.ts'
import { type Running, startDaemon } from './soak/processes.ts'
import { createWatch } from './soak/watch.ts'
import { judge, startWorker } from './soak/worker.ts'

const USAGE = `Usage: npm run soak [-- OPTION]

  --minutes N   how long (default 10)
  --rate N      calls per second in all (default 50)
  --settle N    minutes before anything is measured (default 3, or 0.3 of the time when that is less)
  --short       for a minute or so: of what grows only descriptors and handles count, the rest has no time to settle
  --keep        leave the homes and logs, and say where
  --help        this text
`
const SAMPLE_MS = 5_000
const TELL_MS = 30_000
/** What has its usual number from the start. */
const SETTLED: readonly Quantity[] = ['descriptors', 'handles']

interface SoakOptions {
  minutes: number
  settle: number
  rate: number
  keep: boolean
  isShort: boolean
}

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interrupted.abort(signal))
process.exit(await main(process.argv.slice(2)))

async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv)
  if (typeof options === 'number') return options
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'easynet-soak-')))
  try {
    const failures = await soak(folder, options)
    if (interrupted.signal.aborted) return 130
    for (const failure of failures) console.log(`FAIL  ${failure}`)
    console.log(failures.length === 0 ? 'soak: passed' : `soak: ${failures.length} failures`)
    return failures.length === 0 ? 0 : 1
  } finally {
    if (options.keep) console.log(`homes and logs: ${folder}`)
    else rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

/** The options, or the exit code. */
function readOptions(argv: string[]): SoakOptions | number {
  const [text, flag] = [{ type: 'string' }, { type: 'boolean' }] as const
  try {
    const { values } = parseArgs({
      args: argv,
      options: { minutes: text, rate: text, settle: text, short: flag, keep: flag, help: flag },
    })
    const minutes = positive(values.minutes ?? '10')
    const settle = positive(values.settle ?? String(Math.min(3, 0.3 * minutes)))
    const rate = positive(values.rate ?? '50')
    if (values.help !== true)
      return { minutes, settle, rate, keep: values.keep === true, isShort: values.short === true }
    process.stdout.write(USAGE)
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    return 2
  }
}

function positive(text: string): number {
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new Error(`"${text}" is not a number above 0.`)
}

/** Resolves with everything that went wrong. */
async function soak(folder: string, options: SoakOptions): Promise<string[]> {
  const { minutes, settle, rate } = options
  const { signal } = interrupted
  const failures: string[] = []
  await using stack = new AsyncDisposableStack()
  const first = stack.use(await startDaemon(join(folder, 'first'), 'first', { isWatched: true }))
  const withFirst = { bootstrap: first.address, isWatched: true }
  const second = stack.use(await startDaemon(join(folder, 'second'), 'second', withFirst))
  const workers = [
    stack.use(await startWorker(first.home, 'one', second.name)),
    stack.use(await startWorker(second.home, 'two', first.name)),
  ]
  const watched: Running[] = [first, second, ...workers.map(({ program }) => program)]
  let isStopping = false
  for (const { title, ended } of watched) {
    void ended.then(({ code, signal: by }) => {
      if (!isStopping) failures.push(`${title} ended with ${code ?? by}`)
    })
  }

  await Promise.all(workers.map(async (worker) => worker.fillUp()))
  const watch = createWatch(watched)
  const startedAt = performance.now()
  const minutesNow = (): number => (performance.now() - startedAt) / 60_000
  const churn = startChurn({ folder, hosts: [first, second], onTrouble: (what) => failures.push(what) })
  for (const worker of workers) worker.start(rate / workers.length)
  let toldAt = performance.now()
  while (minutesNow() < minutes && !signal.aborted) {
    await sleep(SAMPLE_MS, undefined, { signal }).catch(() => undefined)
    await watch.sample()
    if (performance.now() - toldAt < TELL_MS) continue
    toldAt = performance.now()
    const heaps = watch.lastHeapBytes().map((bytes) => (bytes / 1e6).toFixed(1))
    const { daemons, programs } = churn.counts
    const came = `${daemons} daemons and ${programs} programs came`
    console.log(
      `${minutesNow().toFixed(1)} min  ${workers.map((worker) => worker.summary()).join(' / ')}  heaps ${heaps.join(' ')} MB  ${came}`,
    )
  }

  isStopping = true
  const reports = await Promise.all(workers.map(async (worker) => worker.stop()))
  await churn.stop()
  await watch.sample()
  for (const [index, report] of reports.entries())
    failures.push(...judge(workers[index]?.program.title ?? '', report, watch))
  for (const running of signal.aborted ? [] : watched) {
    failures.push(...running.troubles)
    const { growths, listeners } = watch.growth(running, settle)
    console.log(`\n${growthTable(running.title, growths)}\nmore listeners: ${listeners}`)
    const bars = growths.filter(({ quantity }) => !options.isShort || SETTLED.includes(quantity))
    for (const { quantity, grows } of bars) if (grows) failures.push(`${running.title}: ${quantity} grows`)
  }
  for (const daemon of [second, first]) {
    const { code, signal: by } = await daemon.end('SIGTERM')
    if (code !== 0) failures.push(`${daemon.title} ended with ${code ?? by}`)
  }
  return failures
}
