import { spawnSync } from 'node:child_process'

// Types, lint, format, dead code, architecture: one command, the same locally and in CI.
const steps: [name: string, ...command: string[]][] = [
  ['types', 'typescript/bin/tsc', '-p', '.'],
  ['lint', 'oxlint/bin/oxlint', '--deny-warnings', '.'],
  ['format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  ['dead code', 'knip/bin/knip.js'],
  ['architecture', 'vitest/vitest.mjs', 'run', '--project', 'unit', 'test/architecture.test.ts'],
]

let failed = 0
for (const [name, tool, ...args] of steps) {
  process.stdout.write(`\n── ${name}\n`)
  const done = spawnSync(process.execPath, [`node_modules/${tool}`, ...args], { stdio: 'inherit' })
  if (done.status !== 0) failed += 1
}
process.stdout.write(
  failed === 0 ? '\ncheck: all green\n' : `\ncheck: ${failed} of ${steps.length} steps failed\n`,
)
process.exitCode = failed === 0 ? 0 : 1
