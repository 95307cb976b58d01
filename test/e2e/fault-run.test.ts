import { expect, test } from 'vitest'
import { faultTable } from './fault-run/report.ts'
import { runFaults } from './fault-run/run.ts'

// `npm run faults` is the same with more calls, and with seeds of your choice.
test('while daemons and programs are killed at random, every call has a verdict, none that must not runs twice, and every idempotent one is delivered', async () => {
  const seed = Number(process.env['FAULTS_SEED'] ?? Date.now() % 2 ** 31)
  const run = await runFaults({ seed, calls: 60 })
  expect(run.violations, `FAULTS_SEED=${seed}\n${faultTable(run)}`).toEqual([])
  expect(Object.values(run.kills).length).toBeGreaterThan(2)
}, 240_000)
