import { coerce, major, minor } from 'semver'
import { ownPackage } from '../../util/installation.ts'
import { type DoctorContext, fail, type Finding, pass, skip, warn } from './check.ts'

/** Whose the home is: nobody's, a daemon's that answers, or one that does not. */
export function checkLock({ daemon, home, t }: DoctorContext): Finding {
  const { file, status, lockIsHeld, error } = daemon
  const pid = file?.pid ?? '?'
  if (status !== undefined) {
    if (lockIsHeld) return pass(t('doctor.lock.running', { pid, url: file?.url ?? '' }))
    return fail(t('doctor.lock.notHeld', { pid, dir: home.stateDir }), 'easynet down && easynet up')
  }
  if (lockIsHeld) {
    const why = error?.message ?? ''
    return fail(t('doctor.lock.silent', { pid, why }), t('doctor.lock.silentFix', { pid }))
  }
  if (file !== undefined) return warn(t('doctor.lock.stale', { pid }), 'easynet up')
  return pass(t('doctor.lock.free'))
}

/** Whether this program, the daemon and the devices around it understand each other. */
export function checkVersions({ daemon, t }: DoctorContext): Finding {
  const { version } = ownPackage()
  const { status, peers = [] } = daemon
  if (status === undefined) return skip(t('doctor.versions.noDaemon', { version }))
  if (status.version !== version) {
    const versions = { version, daemon: status.version }
    return warn(t('doctor.versions.daemon', versions), 'easynet down && easynet up')
  }
  const connected = peers.filter((peer) => peer.connected)
  const others = connected.filter((peer) => peer.version !== null && !isCompatible(peer.version, version))
  if (others.length === 0) return pass(t('doctor.versions.same', { version, count: connected.length }))
  const list = others.map((peer) => `${peer.name} ${peer.version}`).join(', ')
  return warn(t('doctor.versions.peers', { list, version }), t('doctor.versions.peersFix'))
}

/** Semantic versions promise nothing across a major, and before 1.0 nothing across a minor. */
export function isCompatible(a: string, b: string): boolean {
  const [left, right] = [coerce(a), coerce(b)]
  if (left === null || right === null) return false
  return major(left) === major(right) && (major(left) > 0 || minor(left) === minor(right))
}
