import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { statusOfRunning } from '../background-daemon.ts'
import type { Cli } from '../cli.ts'

export function define(program: Command, cli: Cli): void {
  program
    .command('version')
    .description(cli.t('command.version'))
    .action(async () => {
      const version = ownVersion()
      const daemon = (await statusOfRunning(cli.target, cli.signal))?.version ?? null
      if (cli.options.json === true) {
        return cli.out.json({ schema: 'version/1', version, daemon, node: process.versions.node })
      }
      cli.out.line(version)
      if (cli.options.quiet !== true && daemon !== null && daemon !== version)
        cli.out.note(`easynetd ${daemon}`)
    })
}

function ownVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
