import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The parts of `package.json` that describe this installation. */
export interface OwnPackage {
  version: string
  engines: { node: string }
}

/** The path of a file of this installation: a checkout or a package, run from its sources or its bundle. */
export function installedFile(path: string): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return join(folder, path)
}

export function ownPackage(): OwnPackage {
  return JSON.parse(readFileSync(installedFile('package.json'), 'utf8')) as OwnPackage
}

/** What this process was loaded from. See docs/adr/0008-bundle.md. */
export function loadedFrom(): 'bundle' | 'sources' {
  return import.meta.filename.endsWith('.ts') ? 'sources' : 'bundle'
}
