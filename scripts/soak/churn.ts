import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Daemon, type Ended, type Mode, type Running, startDaemon, startProgram } from './processes.ts'

export interface ChurnInit {
  folder: string
  /** Daemons that stay. Others start at the first; programs come to all of them. */
  hosts: readonly Daemon[]
  /** Told of what must not happen. */
  onTrouble: (what: string) => void
}

/** Peers and programs that come and go, on and on. */
export interface Churn {
  counts: { daemons: number; programs: number }
  /** Resolves when the last of them is gone. */
  stop(): Promise<void>
}

type Span = readonly [leastMs: number, mostMs: number]
const STAY_MS: Span = [3_000, 8_000]
const VISIT_MS: Span = [1_000, 4_000]
const PAUSE_MS: Span = [200, 2_000]

export function startChurn({ folder, hosts, onTrouble }: ChurnInit): Churn {
  const stopping = new AbortController()
  const { signal } = stopping
  const counts = { daemons: 0, programs: 0 }
  const bootstrap = hosts[0]?.address ?? ''

  const pause = async ([least, most]: Span): Promise<void> => {
    await sleep(least + Math.random() * (most - least), undefined, { signal }).catch(() => undefined)
  }
  /** Every second one goes in order, the others are killed. */
  const end = async (running: Running, turn: number): Promise<void> => {
    const signalName = turn % 2 === 0 ? 'SIGTERM' : 'SIGKILL'
    const how = await running.end(signalName)
    for (const trouble of running.troubles) onTrouble(trouble)
    if (!isExpected(how, signalName))
      onTrouble(`${running.title} ended with ${how.code ?? how.signal} after ${signalName}`)
  }
  const visit = async (home: string, name: string, mode: Mode, turn: number, ms: Span): Promise<void> => {
    await using program = await startProgram(home, name, mode)
    counts.programs += 1
    await pause(ms)
    await end(program, turn)
  }
  /** @param isNew - with a new home and key each time */
  const daemons = async (name: string, isNew: boolean): Promise<void> => {
    for (let turn = 0; !signal.aborted; turn += 1) {
      const home = join(folder, isNew ? `${name}-${turn}` : name)
      {
        await using daemon = await startDaemon(home, name, { bootstrap })
        counts.daemons += 1
        // The program sees its daemon go first, or goes first itself.
        if (turn % 4 < 2) await visit(home, `${name}-guest`, 'visitor', turn, STAY_MS)
        else {
          await using program = await startProgram(home, `${name}-guest`, 'visitor')
          counts.programs += 1
          await pause(STAY_MS)
          await end(daemon, turn)
          await end(program, turn)
        }
        if (daemon.child.exitCode === null && daemon.child.signalCode === null) await end(daemon, turn)
      }
      if (isNew) await rm(home, { recursive: true })
      await pause(PAUSE_MS)
    }
  }
  const programs = async (): Promise<void> => {
    for (let turn = 0; !signal.aborted; turn += 1) {
      const host = hosts[turn % hosts.length]
      if (host !== undefined) await visit(host.home, `guest-${turn}`, 'guest', turn, VISIT_MS)
      await pause(PAUSE_MS)
    }
  }
  const lane = async (run: () => Promise<void>): Promise<void> => {
    try {
      await run()
    } catch (error) {
      onTrouble(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }
  const lanes = [async () => daemons('third', false), async () => daemons('fourth', true), programs].map(lane)
  return {
    counts,
    async stop() {
      stopping.abort()
      await Promise.all(lanes)
    },
  }
}

function isExpected({ code, signal }: Ended, sent: 'SIGTERM' | 'SIGKILL'): boolean {
  return sent === 'SIGKILL' ? signal === 'SIGKILL' : code === 0
}
