import type { Command } from 'commander'
import { statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { EasyNetError } from '../../errors/error.ts'
import type { FunctionView } from '../../model/views.ts'
import type { Cli } from '../cli.ts'
import { isServable } from '../serve/child.ts'
import { superviseFile } from '../serve/supervisor.ts'
import { shellWord } from '../shell-word.ts'

export function define(program: Command, cli: Cli): void {
  const { t } = cli
  program
    .command('serve')
    .description(t('command.serve'))
    .argument('<files...>', t('argument.files'))
    .option('--watch', t('option.watch'))
    .action(async (files: string[], options: { watch?: true }) => {
      for (const file of files) checkFile(cli, file)
      cli.signal.addEventListener('abort', () => cli.out.note(t('serve.stopping')), { once: true })
      const onServing = (file: string, functions: FunctionView[]): void => printServing(cli, file, functions)
      const serveOne = async (file: string): Promise<EasyNetError | undefined> => {
        const failure = await superviseFile(cli, file, { watch: options.watch === true, onServing })
        // The others go on, and so does this command.
        if (failure !== undefined && files.length > 1) cli.out.note(failure.message)
        return failure
      }
      const failure = (await Promise.all(files.map(serveOne))).find((one) => one !== undefined)
      if (failure !== undefined) throw failure
    })
}

function checkFile({ t }: Cli, file: string): void {
  const stats = statSync(file, { throwIfNoEntry: false })
  const why = t('serve.whyFile')
  const fail = (message: string, hint: string): EasyNetError =>
    new EasyNetError('invalid_request', message, { hint, details: { why, file } })
  if (stats === undefined) throw fail(t('serve.noFile', { file }), `ls ${shellWord(dirname(file))}`)
  if (!stats.isFile()) throw fail(t('serve.isFolder', { file }), `easynet serve ${shellWord(file)}/*.ts`)
  if (!isServable(file)) throw fail(t('serve.wrongKind', { file }), 'easynet serve --help')
}

function printServing(cli: Cli, file: string, functions: readonly FunctionView[]): void {
  const names = functions.map(({ name }) => name)
  if (cli.options.json === true) cli.out.json({ schema: 'serve/1', file, functions: names })
  else if (cli.options.quiet === true) names.forEach((name) => cli.out.line(name))
  else cli.out.line(cli.t('serve.serving', { functions: names.join(', '), file: basename(file) }))
}
