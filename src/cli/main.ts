import { keepCompiledCode } from '../util/compile-cache.ts'
import { readGlobalOptions } from './global-options.ts'

// The rest is loaded once its compiled form can come from a cache: that halves the start.
keepCompiledCode(readGlobalOptions(process.argv.slice(2)).home)
const { runAsProcess } = await import('./run.ts')
await runAsProcess()
