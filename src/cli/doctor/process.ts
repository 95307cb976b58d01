import { readFileSync } from 'node:fs'
import { satisfies } from 'semver'
import { ownPackage } from '../../util/installation.ts'
import { type DoctorContext, fail, type Finding, pass, skip, warn } from './check.ts'

/** 300 connections, their programs and the databases fit in this many. */
const ENOUGH_FILES = 4_096
const TOO_FEW_FILES = 512

export function checkNode({ t }: DoctorContext): Finding {
  const { version } = process
  const needed = ownPackage().engines.node
  if (satisfies(process.versions.node, needed)) return pass(t('doctor.node.good', { version }))
  return fail(t('doctor.node.old', { version, needed }), t('doctor.node.fix'))
}

/** The limit of open files: of the daemon where the system tells, else the one that it would get. */
export function checkOpenFiles({ daemon, t }: DoctorContext): Finding {
  const pid = daemon.status === undefined ? undefined : daemon.file?.pid
  const limit = openFileLimit(pid)
  if (limit === undefined) return skip(t('doctor.files.unknown'))
  const values = { limit: limit === Infinity ? '∞' : limit }
  if (limit >= ENOUGH_FILES) return pass(t('doctor.files.enough', values))
  const finding = limit < TOO_FEW_FILES ? fail : warn
  return finding(t('doctor.files.few', { ...values, enough: ENOUGH_FILES }), t('doctor.files.fix'))
}

function openFileLimit(pid: number | undefined): number | undefined {
  if (process.platform === 'win32') return undefined
  if (process.platform === 'linux') return limitInProc(readLimits(pid) ?? readLimits(undefined) ?? '')
  // Otherwise it looks up the name of every connection.
  Object.assign(process.report, { excludeNetwork: true })
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | 'unlimited' } }
  }
  const soft = userLimits?.open_files?.soft
  return soft === 'unlimited' ? Infinity : soft
}

function readLimits(pid: number | undefined): string | undefined {
  try {
    return readFileSync(`/proc/${pid ?? 'self'}/limits`, 'utf8')
  } catch {
    // The process has ended, or belongs to somebody else.
    return undefined
  }
}

/** The soft limit in the text of `/proc/PID/limits`. */
export function limitInProc(limits: string): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1]
  if (soft === undefined) return undefined
  return soft === 'unlimited' ? Infinity : Number(soft)
}
