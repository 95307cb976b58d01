import type { LoadedConfig } from '../../config/load.ts'
import type { EasyNetError } from '../../errors/error.ts'
import type { PeerView, StatusView } from '../../model/views.ts'
import type { Home } from '../../util/home.ts'
import type { Translate } from '../messages/translate.ts'

export const STATUSES = ['pass', 'warn', 'fail', 'skip'] as const
export type CheckStatus = (typeof STATUSES)[number]

/** What one check found. A `skip` could not be looked at, and says why. */
export interface Finding {
  status: CheckStatus
  message: string
  /** What to do: a command to paste or a setting to change. Every `warn` and `fail` has one. */
  fix?: string
}

/** The daemon of the home, as far as it can be seen from outside. */
export interface DaemonState {
  /** From `daemon.json`; undefined when there is none. */
  file?: { pid: number; url: string }
  /** Its answers; undefined when it gave none. */
  status?: StatusView
  peers?: PeerView[]
  /** Why it gave none. */
  error?: EasyNetError
  /** Whether some process holds the lock of the home. */
  lockIsHeld: boolean
}

export interface DoctorContext {
  home: Home
  t: Translate
  /** The settings, or why they cannot be read. */
  config: LoadedConfig | EasyNetError
  daemon: DaemonState
  signal: AbortSignal
}

export type Check = (context: DoctorContext) => Finding | Promise<Finding>

export const pass = (message: string): Finding => ({ status: 'pass', message })
export const skip = (message: string): Finding => ({ status: 'skip', message })
export const warn = (message: string, fix: string): Finding => ({ status: 'warn', message, fix })
export const fail = (message: string, fix: string): Finding => ({ status: 'fail', message, fix })
