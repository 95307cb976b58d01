// `npm run test:hostile`: every attack at its full size, and what each did and cost.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'easynet-hostile-'))
const file = join(folder, 'report')
writeFileSync(file, '')
const startedAt = performance.now()
const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'hostile', ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, args, {
  stdio: 'inherit',
  env: { ...process.env, HOSTILE_FULL: '1', HOSTILE_REPORT: file },
})
const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
for (const line of lines) {
  const { attack, facts } = JSON.parse(line) as { attack: string; facts: Record<string, unknown> }
  const told = Object.entries(facts).map(([name, value]) => `${name} ${String(value)}`)
  process.stdout.write(`${attack}: ${told.join(', ')}\n`)
}
const seconds = Math.round((performance.now() - startedAt) / 1_000)
process.stdout.write(`${lines.length} attacks on real daemons, ${seconds} s in all\n`)
rmSync(folder, { recursive: true })
process.exitCode = status ?? 1
