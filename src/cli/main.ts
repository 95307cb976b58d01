import { existsSync, mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { locateHome } from '../util/home.ts'
import { readGlobalOptions } from './global-options.ts'

// The rest is loaded once its compiled form can come from a cache: that halves the start.
keepCompiledCode()
const { runAsProcess } = await import('./run.ts')
await runAsProcess()

/** In the user's own folders, since whoever can write the cache can run code. */
function keepCompiledCode(): void {
  const { root } = locateHome(readGlobalOptions(process.argv.slice(2)).home)
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
