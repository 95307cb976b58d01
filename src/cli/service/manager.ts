import { dirname, join } from 'node:path'
import { EasyNetError } from '../../errors/error.ts'
import type { Platform, ServiceInit } from './definition.ts'
import { LABEL, launchAgent } from './launchd.ts'
import { systemUnit, UNIT, userUnit } from './systemd.ts'
import { TASK, windowsTask } from './windows-task.ts'

/** A command to run, program first. */
export type Command = readonly [program: string, ...args: string[]]

/** How one service manager is told about the daemon. */
export interface Manager {
  kind: 'systemd' | 'launchd' | 'task-scheduler'
  /** For the whole machine. */
  system: boolean
  /** The file that describes the service, and its text. */
  file: string
  text: string
  /** How the file is written. */
  encoding: 'utf8' | 'utf16le'
  /** Fails when there is no service manager to talk to. */
  probe: Command
  install: Command[]
  uninstall: Command[]
  /** Run after the file has gone. */
  forget: Command[]
  /** Succeeds when the service runs. */
  isActive: Command
  /** What to say after an installation: a key of the catalogue. */
  note?: 'service.linger'
}

export interface ManagerInit extends ServiceInit {
  platform: Platform
  system: boolean
  /** The user's folder, id and configuration folder. */
  userDir: string
  uid: number
  configDir: string
}

/** @throws `not_implemented` for a system service of launchd and the Task Scheduler */
export function createManager(init: ManagerInit): Manager {
  if (init.platform === 'linux') return systemd(init)
  if (init.system) {
    throw new EasyNetError('not_implemented', 'A system service is made for systemd only.', {
      hint: 'easynet service install',
      details: { platform: init.platform, why: 'This version knows user services on macOS and Windows.' },
    })
  }
  return init.platform === 'darwin' ? launchd(init) : taskScheduler(init)
}

function systemd(init: ManagerInit): Manager {
  const systemctl = (...args: string[]): Command => ['systemctl', ...(init.system ? [] : ['--user']), ...args]
  return {
    kind: 'systemd',
    system: init.system,
    file: init.system ? join('/etc/systemd/system', UNIT) : join(init.configDir, 'systemd', 'user', UNIT),
    text: init.system ? systemUnit(init) : userUnit(init),
    encoding: 'utf8',
    probe: systemctl('show-environment'),
    install: [systemctl('daemon-reload'), systemctl('enable', '--now', UNIT)],
    uninstall: [systemctl('disable', '--now', UNIT)],
    forget: [systemctl('daemon-reload')],
    isActive: systemctl('is-active', '--quiet', UNIT),
    ...(init.system ? {} : { note: 'service.linger' as const }),
  }
}

function launchd(init: ManagerInit): Manager {
  const domain = `gui/${init.uid}`
  const file = join(init.userDir, 'Library', 'LaunchAgents', `${LABEL}.plist`)
  return {
    kind: 'launchd',
    system: false,
    file,
    text: launchAgent(init),
    encoding: 'utf8',
    probe: ['launchctl', 'print', domain],
    install: [['launchctl', 'bootstrap', domain, file]],
    uninstall: [['launchctl', 'bootout', `${domain}/${LABEL}`]],
    forget: [],
    isActive: ['launchctl', 'print', `${domain}/${LABEL}`],
  }
}

function taskScheduler(init: ManagerInit): Manager {
  const file = join(dirname(init.logFile), 'easynet-task.xml')
  return {
    kind: 'task-scheduler',
    system: false,
    file,
    text: windowsTask(init),
    // The only encoding that schtasks takes everywhere; a mark at the start tells it.
    encoding: 'utf16le',
    probe: ['schtasks', '/Query'],
    install: [
      ['schtasks', '/Create', '/F', '/TN', TASK, '/XML', file],
      ['schtasks', '/Run', '/TN', TASK],
    ],
    uninstall: [['schtasks', '/Delete', '/F', '/TN', TASK]],
    forget: [],
    isActive: ['schtasks', '/Query', '/TN', TASK],
  }
}
