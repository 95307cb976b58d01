import { existsSync, mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { locateHome } from './home.ts'

/**
 * Keeps the compiled form of what is loaded from here on, and uses what earlier runs kept. In the user's
 * own folders, since whoever can write the cache can run code.
 *
 * @param home - the folder given as `--home`
 */
export function keepCompiledCode(home: string | undefined): void {
  const { root } = locateHome(home)
  if (root === undefined) {
    const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
    keepIn(join(caches, 'easynet'))
  } else if (existsSync(root)) {
    keepIn(join(root, 'cache'))
  }
}

function keepIn(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    enableCompileCache(join(folder, 'node'))
  } catch {
    // A read-only disk: the start takes longer, and that is all.
  }
}
