import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { EasyNetError } from '../../errors/error.ts'
import type { Command, Manager } from './manager.ts'
import type { RunCommand } from './run-command.ts'

/** Writes the file of the service, starts it, and has it started from then on. @throws what went wrong */
export async function installService(manager: Manager, run: RunCommand): Promise<void> {
  writeDefinition(manager)
  const { ok, why } = await run(manager.probe)
  if (!ok) throw noManager(manager, why)
  for (const command of manager.install) await runOrFail(manager, command, run)
}

/** Stops the service and removes its file. Returns false when there is none. */
export async function uninstallService(manager: Manager, run: RunCommand): Promise<boolean> {
  if (!existsSync(manager.file)) return false
  const { ok } = await run(manager.probe)
  // Without a service manager nothing runs, and the file is all there is.
  if (ok) for (const command of manager.uninstall) await runOrFail(manager, command, run)
  rmSync(manager.file)
  if (ok) for (const command of manager.forget) await runOrFail(manager, command, run)
  return true
}

export interface ServiceState {
  installed: boolean
  /** False for a file that another version of EasyNet has written. */
  upToDate: boolean
  /** Null when there is no service manager to ask. */
  active: boolean | null
}

export async function serviceState(manager: Manager, run: RunCommand): Promise<ServiceState> {
  const installed = existsSync(manager.file)
  const upToDate = installed && readFileSync(manager.file, manager.encoding).endsWith(manager.text)
  const { ok } = await run(manager.probe)
  return { installed, upToDate, active: ok ? (await run(manager.isActive)).ok : null }
}

function writeDefinition({ file, text, encoding, system }: Manager): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, encoding === 'utf16le' ? `\u{feff}${text}` : text, { encoding, mode: 0o644 })
  } catch (cause) {
    throw new EasyNetError('storage_failed', `${file} cannot be written: ${String(cause)}`, {
      hint: system
        ? `easynet service install --system --print | sudo tee ${file}`
        : `ls -ld "${dirname(file)}"`,
      details: { file },
      cause,
    })
  }
}

async function runOrFail(manager: Manager, command: Command, run: RunCommand): Promise<void> {
  const { ok, why } = await run(command)
  if (ok) return
  const hint = manager.kind === 'systemd' ? `${command[0]} status easynet` : command.join(' ')
  throw new EasyNetError('daemon_unreachable', `"${command.join(' ')}" failed: ${why}`, {
    hint: command.includes('--user') ? hint.replace('systemctl', 'systemctl --user') : hint,
    details: { file: manager.file, why: 'The file is in place; the service manager did not do the rest.' },
  })
}

function noManager({ kind, file, install }: Manager, why: string): EasyNetError {
  const later = install.map((command) => command.join(' ')).join(' && ')
  return new EasyNetError('daemon_unreachable', `${kind} does not answer, so nothing was started: ${why}`, {
    hint: later,
    details: { file, why: `${file} is in place. A session of this user has the service manager running.` },
  })
}
