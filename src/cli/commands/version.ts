import type { Command } from 'commander'
import { statusOfRunning } from '../background-daemon.ts'
import type { Cli } from '../cli.ts'
import { loadedFrom, ownPackage } from '../../util/installation.ts'

export function define(program: Command, cli: Cli): void {
  program
    .command('version')
    .description(cli.t('command.version'))
    .action(async () => {
      const version = ownPackage().version
      const daemon = (await statusOfRunning(cli.target, cli.signal))?.version ?? null
      if (cli.options.json === true) {
        const node = process.versions.node
        return cli.out.json({ schema: 'version/1', version, daemon, node, loadedFrom: loadedFrom() })
      }
      cli.out.line(version)
      if (cli.options.quiet !== true && daemon !== null && daemon !== version)
        cli.out.note(`easynetd ${daemon}`)
    })
}
