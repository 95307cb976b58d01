import { satisfies } from 'semver'
import { openFileLimit, openFiles } from '../../util/open-files.ts'
import { ownPackage } from '../../util/installation.ts'
import { type DoctorContext, fail, type Finding, pass, skip, warn } from './check.ts'

/** 300 connections, their programs and the databases fit in this many. */
const ENOUGH_FILES = 4_096
const TOO_FEW_FILES = 512
/** Of the limit: the daemon turns connections away. */
const EXHAUSTED = 0.9

export function checkNode({ t }: DoctorContext): Finding {
  const { version } = process
  const needed = ownPackage().engines.node
  if (satisfies(process.versions.node, needed)) return pass(t('doctor.node.good', { version }))
  return fail(t('doctor.node.old', { version, needed }), t('doctor.node.fix'))
}

/** The limit of open files: of the daemon where the system tells, else the one that it would get. */
export function checkOpenFiles({ daemon, t }: DoctorContext): Finding {
  // A daemon that has none left cannot answer.
  const pid = daemon.lockIsHeld ? daemon.file?.pid : undefined
  const limit = openFileLimit(pid)
  if (limit === undefined) return skip(t('doctor.files.unknown'))
  const values = { limit: limit === Infinity ? '∞' : limit }
  const open = pid === undefined ? undefined : openFiles(pid)
  if (typeof open === 'number' && open >= EXHAUSTED * limit) {
    return fail(t('doctor.files.exhausted', { ...values, open }), t('doctor.files.fix'))
  }
  if (limit >= ENOUGH_FILES) return pass(t('doctor.files.enough', values))
  const finding = limit < TOO_FEW_FILES ? fail : warn
  return finding(t('doctor.files.few', { ...values, enough: ENOUGH_FILES }), t('doctor.files.fix'))
}
