import { homedir, hostname, release } from 'node:os'
import { loadConfig } from '../../config/load.ts'
import { EasyNetError } from '../../errors/error.ts'
import { type CheckResult, runChecks } from '../doctor/run.ts'
import { findDaemonState } from '../doctor/daemon-state.ts'
import type { DaemonState } from '../doctor/check.ts'
import type { Cli } from '../cli.ts'
import { lastLines, openLog, parseLine } from '../log-file.ts'
import { loadedFrom, ownPackage } from '../../util/installation.ts'
import { createRedactor } from './redact.ts'

const LOG_LINES = 200

/** What a maintainer needs to look into a problem, without secrets and without who others are. */
export interface BugReport {
  schema: 'bugreport/1'
  /** What is in it, for whoever is asked to send it. */
  contains: string[]
  at: string
  versions: Record<string, string | null>
  settings: unknown
  /** Null when no daemon answers. */
  status: unknown
  peers: { known: number; connected: number; versions: string[] } | null
  doctor: CheckResult[]
  /** The last lines of the log. */
  log: unknown[]
}

export async function collectReport(cli: Cli): Promise<BugReport> {
  const [daemon, doctor, log] = await Promise.all([
    findDaemonState(cli.home, cli.signal),
    runChecks(cli),
    readLog(cli.home.logFile),
  ])
  const redact = createRedactor({ known: knownNames(cli, daemon), homeDir: homedir() })
  const report: Omit<BugReport, 'contains'> = {
    schema: 'bugreport/1',
    at: new Date().toISOString(),
    versions: {
      easynet: ownPackage().version,
      easynetd: daemon.status?.version ?? null,
      node: process.versions.node,
      loadedFrom: loadedFrom(),
      system: `${process.platform} ${release()} ${process.arch}`,
    },
    settings: readSettings(cli),
    status: daemon.status ?? null,
    peers: summarizePeers(daemon),
    doctor,
    log,
  }
  // Ours to read, and so in the reader's language: nothing in it is anybody's.
  return { ...(redact(report) as typeof report), contains: cli.t('bugreport.contains').split('\n') }
}

/** Names of this device and of the others: they stand in messages as well. */
function knownNames(cli: Cli, { status, peers = [] }: DaemonState): Map<string, string> {
  const own = [status?.peerId, status?.name, hostname(), ownName(cli)].filter((text) => text !== undefined)
  return new Map([
    ...peers.flatMap(({ peerId, name }, index) => {
      const word = `<peer-${index + 1}>`
      return [[peerId, word] as const, ...(name === '' ? [] : [[name, word] as const])]
    }),
    ...own.map((text) => [text, '<self>'] as const),
  ])
}

function summarizePeers({ peers }: DaemonState): BugReport['peers'] {
  if (peers === undefined) return null
  const versions = [...new Set(peers.flatMap(({ version }) => version ?? []))].sort()
  return { known: peers.length, connected: peers.filter(({ connected }) => connected).length, versions }
}

function ownName(cli: Cli): string | undefined {
  const settings = readSettings(cli)
  const name = 'error' in settings ? undefined : settings['name']?.value
  return typeof name === 'string' ? name : undefined
}

function readSettings({
  home,
  env,
}: Cli): Record<string, { value: unknown; origin: string }> | { error: string } {
  try {
    return loadConfig({ userFile: home.configFile, env }).settings
  } catch (error) {
    return { error: EasyNetError.from(error).message }
  }
}

async function readLog(path: string): Promise<unknown[]> {
  try {
    await using file = await openLog(path)
    return (await lastLines(file, LOG_LINES)).lines.map(parseLine)
  } catch (error) {
    return [EasyNetError.from(error).message]
  }
}
