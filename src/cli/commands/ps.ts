import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { listCalls } from './task.ts'

export function define(program: Command, cli: Cli): void {
  program
    .command('ps')
    .description(cli.t('command.ps'))
    .option('-a, --all', cli.t('option.all'))
    .action((options: { all?: true }) => listCalls(cli, options.all === true))
}
