import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from '../../util/signals.ts'
import { type DoctorContext, fail, type Finding, pass, warn } from './check.ts'

const WATCH_MS = 500
/** A clock that is being slewed differs by less than 0.1 %; the rest is the scheduler's. */
const MAX_JUMP_MS = 250
/** File systems keep whole seconds or two, and servers their own time. */
const MAX_FILE_SKEW_MS = 5_000
/** Nothing of EasyNet is older. */
const OLDEST = Date.UTC(2025, 0, 1)

/**
 * Whether the wall clock can be right. There is no second clock to ask, so this sees a clock that jumps
 * while it is watched, one that files of the past or the disk contradict, and one that was never set.
 */
export async function checkClock({ home, signal, t }: DoctorContext): Promise<Finding> {
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
  return pass(t('doctor.clock.good', { ms: jumpMs }))
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
