// `npm run bench:call`: calls of EasyNet beside other systems, on this machine, in one run. Each system
// has its own processes; all are measured in turn, round after round, so that a busy moment of the
// machine hits all of them; medians over the rounds are printed as a Markdown table.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createCertificate } from './certificate.ts'
import type { Result, Step } from './measure.ts'
import { type Pair, startPair } from './pair.ts'
import { type Column, formatTable, machineFacts, type Row } from './table.ts'

const SYSTEMS = [
  { name: 'easynet-node', title: 'EasyNet, node to node' },
  { name: 'easynet-journaled', title: 'the same, at most once across crashes' },
  { name: 'easynet-whole', title: 'EasyNet, program to program' },
  { name: 'grpc', title: '@grpc/grpc-js, TLS' },
  { name: 'hyperdht', title: 'hyperdht + protomux-rpc' },
  { name: 'tls', title: 'node:tls, bare frames' },
]
const BASE = 'grpc'

const { values } = parseArgs({
  options: {
    /** Length of one measurement. */
    seconds: { type: 'string', default: '0.6' },
    rounds: { type: 'string', default: '5' },
    /** Systems to run, joined by commas. */
    only: { type: 'string', default: SYSTEMS.map((system) => system.name).join(',') },
    /** Steps to run, joined by commas. */
    steps: { type: 'string' },
    /** Folder for a CPU profile of every process. */
    profile: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)

const ALL_STEPS: Record<string, Step> = {
  small: { kind: 'sequential', bytes: 100, seconds },
  medium: { kind: 'sequential', bytes: 10_000, seconds: seconds / 2 },
  many: { kind: 'parallel', bytes: 100, inFlight: 64, seconds },
  more: { kind: 'parallel', bytes: 100, inFlight: 256, seconds },
  upload: { kind: 'upload', mebibytes: 256 },
}
const chosen = values.steps?.split(',')
const steps = Object.entries(ALL_STEPS).filter(([name]) => chosen?.includes(name) ?? true)
const COLUMNS: Column[] = [
  { title: '100 B p50 µs', step: 'small', field: 'p50', digits: 0 },
  { title: 'p99 µs', step: 'small', field: 'p99', digits: 0 },
  { title: '10 kB p50 µs', step: 'medium', field: 'p50', digits: 0 },
  { title: 'calls/s @64', step: 'many', field: 'perSecond', digits: 0 },
  { title: '@256', step: 'more', field: 'perSecond', digits: 0 },
  { title: '256 MiB up, MB/s', step: 'upload', field: 'megabytesPerSecond', digits: 0 },
].filter(({ step }) => steps.some(([name]) => name === step))

const folder = mkdtempSync(join(tmpdir(), 'easynet-bench-'))
const running: { row: Row; pair: Pair }[] = []
const notes: string[] = []
try {
  const certificate = createCertificate()
  const nodeArgs = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`]
  for (const { name, title } of SYSTEMS.filter((system) => values.only.split(',').includes(system.name))) {
    const daemons = name === 'easynet-whole'
    const nodes = name === 'easynet-node' || name === 'easynet-journaled'
    try {
      const init = { system: name, folder: join(folder, name), certificate, daemons, nodes, nodeArgs }
      running.push({ row: { title, results: new Map() }, pair: await startPair(init) })
    } catch (error) {
      notes.push(`${title}: left out, it did not start here (${(error as Error).message})`)
    }
  }
  await round(running, true)
  for (let index = 0; index < rounds; index += 1) {
    // Nobody is always measured after the same one.
    await round([...running.slice(index % running.length), ...running.slice(0, index % running.length)])
    process.stderr.write(`round ${index + 1} of ${rounds}\n`)
  }
  const base = SYSTEMS.find((system) => system.name === BASE)?.title
  const rows = running.map(({ row }) => row)
  const table = formatTable(
    COLUMNS,
    rows,
    rows.find((row) => row.title === base),
  )
  console.log(`\n${table}\n\n${machineFacts()}; ${rounds} rounds of ${seconds} s; ratios are to ${base}.`)
  for (const note of notes) console.log(note)
} finally {
  for (const { pair } of running) await pair.stop()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}

async function round(order: typeof running, isWarmUp = false): Promise<void> {
  for (const [name, step] of steps) {
    for (const { row, pair } of order) {
      const result: Result = await pair.measure(isWarmUp ? shortened(step) : step)
      if (!isWarmUp) row.results.set(name, [...(row.results.get(name) ?? []), result])
    }
  }
}

function shortened(step: Step): Step {
  return step.kind === 'upload' ? { ...step, mebibytes: 32 } : { ...step, seconds: step.seconds / 2 }
}
