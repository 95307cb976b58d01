import { installedFile } from '../../util/installation.ts'

export const PLATFORMS = ['linux', 'darwin', 'win32'] as const
export type Platform = (typeof PLATFORMS)[number]

/** What a service manager has to start. */
export interface Program {
  /** The Node that runs this process. */
  node: string
  /** Entry of `easynetd`. */
  daemon: string
  /** Entry of `easynet`. */
  cli: string
}

export interface ServiceInit {
  program: Program
  /** Folder of everything, where one was given; otherwise the folders of the user. */
  home?: string
  /** Variables that decide about folders and that a service would not have by itself. */
  env: Readonly<Record<string, string>>
  /** Where a service manager without a log of its own puts what the daemon writes. */
  logFile: string
}

export function thisProgram(): Program {
  const [daemon, cli] = [installedFile('bin/easynetd.mjs'), installedFile('bin/easynet.mjs')]
  return { node: process.execPath, daemon, cli }
}

/** A text inside XML. */
export function escapeXml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character)
}
