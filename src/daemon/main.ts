import { runDaemon } from './run.ts'

// The entry of `easynetd`; bin/easynetd runs it.
const code = await runDaemon({
  argv: process.argv.slice(2),
  env: process.env,
  loadNode: async () => (await import('./node.ts')).createNode,
})
// Everything was closed in order; what a library still holds open must not keep the process.
process.exit(code)
