import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PeerView } from '../../model/views.ts'
import { sleep } from '../../util/signals.ts'
import { formatDuration } from '../duration.ts'
import { type DoctorContext, fail, type Finding, pass, warn } from './check.ts'

const WATCH_MS = 500
/** A clock that is being slewed differs by less than 0.1 %; the rest is the scheduler's. */
const MAX_JUMP_MS = 250
/** File systems keep whole seconds or two, and servers their own time. */
const MAX_FILE_SKEW_MS = 5_000
/** A smaller difference between devices is of no importance. */
const MAX_PEER_DIFFERENCE_MS = 60_000
/** Nothing of EasyNet is older. */
const OLDEST = Date.UTC(2025, 0, 1)

/**
 * Whether the wall clock can be right. This sees a clock that jumps while it is watched, one that files of
 * the past, the disk or the connected devices contradict, and one that was never set.
 */
export async function checkClock({ home, daemon, signal, t }: DoctorContext): Promise<Finding> {
  const fix = t('doctor.clock.fix')
  const [wall, monotonic] = [Date.now(), performance.now()]
  await sleep(WATCH_MS, signal)
  const jumpMs = Math.round(Date.now() - wall - (performance.now() - monotonic))
  const now = Date.now()
  if (now < OLDEST) return fail(t('doctor.clock.unset', { now: new Date(now).toISOString() }), fix)
  if (Math.abs(jumpMs) > MAX_JUMP_MS) return fail(t('doctor.clock.jumps', { ms: jumpMs }), fix)
  const lastWritten = statSync(home.databaseFile, { throwIfNoEntry: false })?.mtimeMs
  if (lastWritten !== undefined && lastWritten - now > MAX_FILE_SKEW_MS) {
    const seconds = Math.round((lastWritten - now) / 1_000)
    return fail(t('doctor.clock.back', { seconds, file: home.databaseFile }), fix)
  }
  const skewMs = Math.round(fileClockSkewMs())
  if (Math.abs(skewMs) > MAX_FILE_SKEW_MS) return warn(t('doctor.clock.disk', { ms: skewMs }), fix)
  const ahead = clocksAhead(daemon.peers ?? [])
  const aheadMs = ahead[Math.floor(ahead.length / 2)] ?? 0
  if (Math.abs(aheadMs) > MAX_PEER_DIFFERENCE_MS) {
    const minutes = Math.round(Math.abs(aheadMs) / 60_000)
    const values = { count: ahead.length, time: formatDuration(minutes * 60_000) }
    return warn(t(aheadMs > 0 ? 'doctor.clock.peersAhead' : 'doctor.clock.peersBehind', values), fix)
  }
  return pass(t('doctor.clock.good', { ms: jumpMs }))
}

/** What the connected devices said, in order: one that lies is not in the middle of several. */
function clocksAhead(peers: readonly PeerView[]): number[] {
  return peers
    .flatMap(({ connected, clockAheadMs }) =>
      connected && typeof clockAheadMs === 'number' ? [clockAheadMs] : [],
    )
    .sort((a, b) => a - b)
}

/** How far the clock of the file system is ahead of ours, told by a new file. */
function fileClockSkewMs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'easynet-doctor-'))
  try {
    const file = join(folder, 'now')
    writeFileSync(file, '')
    return statSync(file).mtimeMs - Date.now()
  } finally {
    rmSync(folder, { recursive: true })
  }
}
