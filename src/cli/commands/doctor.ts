import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { type CheckStatus, STATUSES } from '../doctor/check.ts'
import { type CheckResult, runChecks } from '../doctor/run.ts'
import { EXIT } from '../exit-codes.ts'

export function define(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description(cli.t('command.doctor'))
    .action(async () => {
      const checks = await runChecks(cli)
      const counts = countByStatus(checks)
      if (counts.fail > 0) cli.exit.code = EXIT.checkFailed
      if (cli.options.json === true)
        cli.out.json({ schema: 'doctor/1', ok: counts.fail === 0, counts, checks })
      else await print(cli, checks, counts)
    })
}

async function print(
  cli: Cli,
  checks: readonly CheckResult[],
  counts: Record<CheckStatus, number>,
): Promise<void> {
  const { out, t } = cli
  if (cli.options.quiet === true) {
    return checks.filter(({ status }) => status === 'fail').forEach(({ id }) => out.line(id))
  }
  await out.fields(
    checks.flatMap(({ status, title, message, fix }) => [
      [t(`doctor.${status}`), title, message],
      ...(fix === undefined ? [] : [['', '', `${t('error.try')} ${fix}`]]),
    ]),
  )
  out.note(t('doctor.summary', counts))
}

function countByStatus(checks: readonly CheckResult[]): Record<CheckStatus, number> {
  const count = (wanted: CheckStatus): number => checks.filter(({ status }) => status === wanted).length
  return Object.fromEntries(STATUSES.map((status) => [status, count(status)])) as Record<CheckStatus, number>
}
