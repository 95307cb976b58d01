import type { Command } from 'commander'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { EasyNetError } from '../../errors/error.ts'
import type { FunctionView } from '../../model/views.ts'
import type { Cli } from '../cli.ts'
import { checkKind } from '../serve/child.ts'
import { superviseFile } from '../serve/supervisor.ts'

export function define(program: Command, cli: Cli): void {
  const { t } = cli
  program
    .command('serve')
    .description(t('command.serve'))
    .argument('<files...>', t('argument.files'))
    .option('--watch', t('option.watch'))
    .action(async (files: string[], options: { watch?: true }) => {
      for (const file of files) checkFile(file)
      cli.signal.addEventListener('abort', () => cli.out.note(t('serve.stopping')), { once: true })
      const onServing = (file: string, functions: FunctionView[]): void => printServing(cli, file, functions)
      const served = await Promise.all(
        files.map((file) => superviseFile(cli, file, { watch: options.watch === true, onServing })),
      )
      if (served.every((well) => well)) return
      throw new EasyNetError('invalid_request', 'A file cannot be served as it is.', {
        hint: `node ${files.find((_, index) => served[index] === false)}`,
        details: { why: 'Its process said what is wrong before it ended.' },
      })
    })
}

function checkFile(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new EasyNetError('invalid_request', `There is no file ${file}.`, {
      hint: `ls ${file}`,
      details: { why: 'easynet serve takes the path of a TypeScript, JavaScript or Python file.' },
    })
  }
  checkKind(file)
}

function printServing(cli: Cli, file: string, functions: readonly FunctionView[]): void {
  const names = functions.map(({ name }) => name)
  if (cli.options.json === true) cli.out.json({ schema: 'serve/1', file, functions: names })
  else if (cli.options.quiet === true) names.forEach((name) => cli.out.line(name))
  else cli.out.line(cli.t('serve.serving', { functions: names.join(', '), file: basename(file) }))
}
