// `npm run faults`: calls through real daemons that are killed with SIGKILL again and again.
import { parseArgs } from 'node:util'
import { faultTable } from '../test/e2e/fault-run/report.ts'
import { runFaults } from '../test/e2e/fault-run/run.ts'

const USAGE = `Usage: npm run faults [-- OPTION]

  --seeds LIST   one run for each of these numbers, such as 1,2,3 (default: one by chance)
  --calls N      calls of a run (default 200)
  --verbose      print every kill
  --help         this text
`

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    calls: { type: 'string', default: '200' },
    verbose: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})
if (values.help === true) {
  process.stdout.write(USAGE)
  process.exit(0)
}
const seeds = values.seeds?.split(',').map(Number) ?? [Math.floor(Math.random() * 2 ** 31)]
let violations = 0
for (const seed of seeds) {
  process.stdout.write(`Seed ${seed}. Again: npm run faults -- --seeds ${seed} --calls ${values.calls}\n`)
  const onKill = (text: string): void => void process.stdout.write(`  ${text}\n`)
  const run = await runFaults({
    seed,
    calls: Number(values.calls),
    ...(values.verbose === true ? { onKill } : {}),
  })
  process.stdout.write(`${faultTable(run)}\n`)
  violations += run.violations.length
}
process.exitCode = violations === 0 ? 0 : 1
