import { accessSync, constants, statSync, type Stats } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Home } from '../../util/home.ts'
import { type DoctorContext, fail, type Finding, pass, warn } from './check.ts'

const MIB = 1024 * 1024
const LITTLE_SPACE_MIB = 1_024
const NO_SPACE_MIB = 100

/** Only this user may open the key, the token and the folders that hold them. */
export function checkRights({ home, t }: DoctorContext): Finding {
  const user = process.getuid?.()
  for (const { path, forbidden } of privatePaths(home)) {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined) continue
    if (user !== undefined && stats.uid !== user) {
      return fail(
        t('doctor.rights.owner', { path, owner: stats.uid, user }),
        `sudo chown -R ${user} "${path}"`,
      )
    }
    if (user !== undefined && (stats.mode & forbidden) !== 0) {
      const mode = `0${(stats.mode & 0o777).toString(8)}`
      return fail(t('doctor.rights.open', { path, mode }), `chmod go-rwx "${path}"`)
    }
  }
  const folder = existingParent(home.stateDir).path
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    return fail(t('doctor.rights.notWritable', { path: folder }), t('doctor.rights.notWritableFix'))
  }
  return pass(t('doctor.rights.good', { dir: home.stateDir }))
}

/** Everything of the home with the bits that others must not have. */
function privatePaths(home: Home): { path: string; forbidden: number }[] {
  const { stateDir, runDir, keyFile, databaseFile, tokenFile, daemonFile, socketFile } = home
  const closed = [stateDir, runDir, keyFile, databaseFile, tokenFile, daemonFile, socketFile]
  return [
    // Whoever can write to the root can put other folders in their place; to look is allowed.
    ...(home.root === undefined ? [] : [{ path: home.root, forbidden: 0o022 }]),
    ...closed.map((path) => ({ path, forbidden: 0o077 })),
  ]
}

/** Room for the databases and the log. */
export async function checkDisk({ home, daemon, t }: DoctorContext): Promise<Finding> {
  const { path } = existingParent(home.stateDir)
  const { bavail, bsize, files, ffree } = await statfs(path)
  const values = { free: formatMib((bavail * bsize) / MIB), path }
  const freeMib = (bavail * bsize) / MIB
  if (daemon.status?.storage === 'full') return fail(t('doctor.disk.refuses', values), t('doctor.disk.fix'))
  // Some file systems have no fixed number of files, and say 0 of 0.
  if (freeMib < NO_SPACE_MIB || (files > 0 && ffree === 0)) {
    return fail(t('doctor.disk.full', values), t('doctor.disk.fix'))
  }
  if (freeMib < LITTLE_SPACE_MIB) return warn(t('doctor.disk.little', values), t('doctor.disk.fix'))
  return pass(t('doctor.disk.good', values))
}

function formatMib(mib: number): string {
  return mib < 1_024 ? `${Math.floor(mib)} MiB` : `${Math.floor(mib / 1_024)} GiB`
}

/** `path`, or the nearest folder above it that exists. */
export function existingParent(path: string): { path: string; stats: Stats } {
  for (let at = path; ; at = dirname(at)) {
    const stats = statSync(at, { throwIfNoEntry: false })
    if (stats !== undefined) return { path: at, stats }
    if (dirname(at) === at) throw new Error(`${path} has no folder above it`)
  }
}
