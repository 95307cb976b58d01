import { parseArgs } from 'node:util'
import { keepCompiledCode } from '../util/compile-cache.ts'

// The entry of `easynetd`; bin/easynetd runs it. The rest is loaded once its compiled form can come from
// a cache: that takes a third off the start.
const argv = process.argv.slice(2)
const { home } = parseArgs({ args: argv, options: { home: { type: 'string' } }, strict: false }).values
keepCompiledCode(typeof home === 'string' ? home : undefined)
const { runDaemon } = await import('./run.ts')
const code = await runDaemon({
  argv,
  env: process.env,
  loadNode: async () => (await import('./node.ts')).createNode,
})
// Everything was closed in order; what a library still holds open must not keep the process.
process.exit(code)
