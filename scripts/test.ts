import { spawnSync } from 'node:child_process'

// `npm test`: the bundles that users run, the checks, then every test. Arguments are passed to vitest:
// `npm test -- test/unit`.
const filters = process.argv.slice(2)
run('scripts/build.mjs')
const checks = filters.length > 0 ? 0 : run('scripts/check.ts')
const tests = run('node_modules/vitest/vitest.mjs', 'run', ...filters)
process.exitCode = checks === 0 && tests === 0 ? 0 : 1

function run(...args: string[]): number {
  return spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1
}
