// `npm run bench:idle`: what a daemon without work takes, and how long starting takes. Every round starts
// a daemon anew, measures bare Node in between, leaves the daemon alone for a while and then reads what
// the kernel counted. Linux only: it reads /proc.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { machineFacts } from '../call/table.ts'

const CHECKOUT = resolve(import.meta.dirname, '../..')
/** Commands per round, each beside a bare Node. */
const COMMANDS = 3
/** `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Node runs on. */
const TICK_MS = 10

const GOALS: Record<string, string> = {
  'easynet status, ms': '≤ 150',
  'idle daemon, resident MB': '≤ 150',
  'idle daemon, % of a core': '< 2',
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '5' } },
})
const rounds = Number(values.rounds)
const idleMs = Number(values.seconds) * 1_000
const home = mkdtempSync(join(tmpdir(), 'easynet-idle-'))
const env = { ...process.env, EASYNET_HOME: home }
const results = new Map<string, number[]>()

try {
  console.log(machineFacts())
  console.log(`${rounds} rounds, ${idleMs / 1_000} s idle in each, load ${loadavg()[0]?.toFixed(1)}\n`)
  for (let round = 0; round < rounds; round += 1) await measureRound()
  console.log(table())
} finally {
  rmSync(home, { recursive: true, force: true })
}

async function measureRound(): Promise<void> {
  const startedAt = performance.now()
  const daemon = spawn(join(CHECKOUT, 'bin/easynetd'), ['--api', '127.0.0.1:0'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    await readyLine(daemon)
    note('easynetd ready, ms', performance.now() - startedAt)
    for (let command = 0; command < COMMANDS; command += 1) {
      note('node -e 0, ms', wallMs(process.execPath, ['-e', '0']))
      note('easynet status, ms', wallMs(join(CHECKOUT, 'bin/easynet'), ['status']))
    }
    const before = processorMs(daemon)
    await sleep(idleMs)
    note('idle daemon, % of a core', ((processorMs(daemon) - before) / idleMs) * 100)
    note('idle daemon, resident MB', residentKb(daemon, 'VmRSS') / 1_000)
    note('of that, shared with other Node processes', residentKb(daemon, 'RssFile') / 1_000)
  } finally {
    daemon.kill('SIGTERM')
    if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit')
  }
}

async function readyLine(daemon: ChildProcess): Promise<void> {
  if (daemon.stdout === null) throw new Error('The daemon has no output.')
  for await (const _ of createInterface(daemon.stdout)) return
  throw new Error('The daemon ended before it was ready.')
}

function wallMs(command: string, args: string[]): number {
  const startedAt = performance.now()
  const { status, stderr } = spawnSync(command, args, { env, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stderr}`)
  return performance.now() - startedAt
}

function processorMs({ pid }: ChildProcess): number {
  // Behind the name in brackets; see proc_pid_stat(5).
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

function residentKb({ pid }: ChildProcess, name: 'VmRSS' | 'RssFile'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1.024
}

function note(name: string, value: number): void {
  results.set(name, [...(results.get(name) ?? []), value])
}

function table(): string {
  const rows = [...results].map(([name, values]) => {
    const sorted = values.toSorted((a, b) => a - b)
    const at = (index: number): string => sorted[index]?.toFixed(name.includes('%') ? 2 : 0) ?? ''
    const shown = [at(0), at(Math.floor(sorted.length / 2)), at(sorted.length - 1)]
    return [name, ...shown, GOALS[name] ?? ''].join(' | ')
  })
  const head = ['figure | least | median | most | goal', '--- | ---: | ---: | ---: | ---:']
  return [...head, ...rows].map((row) => `| ${row} |`).join('\n')
}
