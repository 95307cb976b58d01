import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Growth, growthOf, type Sample } from './growth.ts'
import type { Held } from './probe.ts'
import type { Daemon, Running } from './processes.ts'

/** A time in which a process that had work to do was given no processor for a good part of it. */
interface Starved {
  /** Epoch ms. */
  from: number
  to: number
  waitedMs: number
}

/** Looks at processes from time to time, and remembers. */
export interface Watch {
  /** Looks at all of them once. */
  sample(): Promise<void>
  lastHeapBytes(): number[]
  /** What grew since `settleMinutes` after the start. @throws when there are fewer than three looks */
  growth(running: Running, settleMinutes: number): { growths: Growth[]; listeners: string }
  /**
   * How long some process waited for a processor at about that time, in ms; 0 when all had what they wanted.
   * Peers take one that is silent for 4.5 s for dead, whatever the reason.
   */
  starvedMs(fromEpochMs: number, toEpochMs: number): number
}

/** A wait of this share of the time between two looks is told apart from the usual waits of a busy machine. */
const STARVED_SHARE = 0.3
/** A link that was cut is back only after a while. */
const AFTERMATH_MS = 15_000

export function createWatch(watched: readonly Running[]): Watch {
  const startedAt = performance.now()
  const looks = watched.map(() => [] as { minutes: number; sample: Sample; listeners: Held['listenersOf'] }[])
  const waits = watched.map(waitedMs)
  const starved: Starved[] = []
  let lookedAt = Date.now()

  const noteWaits = (): void => {
    const from = lookedAt
    lookedAt = Date.now()
    for (const [index, running] of watched.entries()) {
      const now = waitedMs(running)
      const waited = now - (waits[index] ?? 0)
      waits[index] = now
      if (waited > STARVED_SHARE * (lookedAt - from)) starved.push({ from, to: lookedAt, waitedMs: waited })
    }
  }
  return {
    async sample() {
      for (const [index, running] of watched.entries()) {
        const { listenersOf: listeners, ...held } = await running.probe()
        const minutes = (performance.now() - startedAt) / 60_000
        looks[index]?.push({ minutes, listeners, sample: sampleOf(running, held) })
      }
      noteWaits()
    },
    lastHeapBytes: () => looks.map((all) => all.at(-1)?.sample.heapBytes ?? 0),
    growth(running, settleMinutes) {
      const all = looks[watched.indexOf(running)]?.filter(({ minutes }) => minutes >= settleMinutes) ?? []
      const listeners = moreListeners(all[0]?.listeners ?? {}, all.at(-1)?.listeners ?? {})
      return { growths: growthOf(all), listeners }
    },
    starvedMs(from, to) {
      const near = starved.filter((time) => time.from <= to && time.to + AFTERMATH_MS >= from)
      return Math.max(0, ...near.map((time) => time.waitedMs))
    },
  }
}

/** Time that the main thread was ready to run and did not, since its start. */
function waitedMs({ pid }: Running): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6
}

function sampleOf(running: Running, held: Omit<Held, 'listenersOf'>): Sample {
  const kept =
    'home' in running ? databasesOf(running as Daemon) : { databaseBytes: 0, calls: 0, executions: 0 }
  return { ...held, ...kept, descriptors: running.descriptors() }
}

function databasesOf({ home }: Daemon): Pick<Sample, 'databaseBytes' | 'calls' | 'executions'> {
  const [main = '', journal = ''] = ['easynet.db', 'journal.db'].map((file) => join(home, 'state', file))
  const bytes = [main, `${main}-wal`, journal, `${journal}-wal`].map(
    (file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0,
  )
  return {
    databaseBytes: bytes.reduce((all, size) => all + size, 0),
    calls: countRows(main, 'calls'),
    executions: countRows(journal, 'executions'),
  }
}

function countRows(file: string, table: 'calls' | 'executions'): number {
  using database = new DatabaseSync(file, { readOnly: true, timeout: 2_000 })
  return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])
}

/** The kinds of listeners of which there are more than before, most first. */
function moreListeners(before: Held['listenersOf'], after: Held['listenersOf']): string {
  const grown = Object.entries(after)
    .map(([what, count]) => ({ what, count, more: count - (before[what] ?? 0) }))
    .filter(({ more }) => more > 0)
    .sort((a, b) => b.more - a.more)
    .slice(0, 6)
  return grown.map(({ what, count, more }) => `${what} ${count} (+${more})`).join(', ')
}
