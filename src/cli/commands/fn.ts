import type { Command } from 'commander'
import { EasyNetError } from '../../errors/error.ts'
import type { FunctionView } from '../../model/views.ts'
import { HttpClient } from '../../sdk/http-client.ts'
import { hintForName } from '../call-hints.ts'
import type { Cli } from '../cli.ts'
import { formatDuration } from '../duration.ts'
import { printFields } from './status.ts'

export function define(program: Command, cli: Cli): void {
  const { t } = cli
  const group = program.command('fn').description(t('command.fn'))
  group
    .command('ls')
    .description(t('command.fn.ls'))
    .option('--local', t('option.local'))
    .action((options: { local?: true }) => list(cli, options.local === true ? { scope: 'local' } : {}))
  group
    .command('search')
    .description(t('command.fn.search'))
    .argument('<query>', t('argument.query'))
    .action((q: string) => list(cli, { q }))
  group
    .command('show')
    .description(t('command.fn.show'))
    .argument('<name>', t('argument.fn'))
    .action(async (name: string) => {
      using api = await HttpClient.open(cli.target)
      try {
        await show(cli, await api.function(name, { signal: cli.signal }))
      } catch (error) {
        const hint = await hintForName(cli, name, [], 'fn show')
        throw hint === undefined ? error : EasyNetError.from(error).with({ hint })
      }
    })
}

async function list(cli: Cli, query: { scope?: 'local' | 'mesh'; q?: string }): Promise<void> {
  const { out, t } = cli
  using api = await HttpClient.open(cli.target)
  const functions = await api.functions(query, { signal: cli.signal })
  if (cli.options.json === true) return out.json({ schema: 'functions/1', functions })
  if (cli.options.quiet === true) return functions.forEach(({ name }) => out.line(name))
  if (functions.length === 0) return out.note(t('list.noFunctions'))
  await out.table(
    [
      t('column.name'),
      t('column.version'),
      t('column.providers'),
      t('column.price'),
      t('column.description'),
    ],
    functions.map((fn) => [
      fn.name,
      fn.version,
      fn.providers.map(({ name }) => out.safe(name)).join(', '),
      fn.price,
      out.safe(fn.description),
    ]),
  )
}

async function show(cli: Cli, fn: FunctionView): Promise<void> {
  const { out, t } = cli
  if (cli.options.json === true) return out.json({ schema: 'function/1', ...fn })
  if (cli.options.quiet === true) return out.line(fn.name)
  const flags = (['stream', 'clientStream', 'idempotent'] as const).filter((flag) => fn[flag])
  await printFields(cli, [
    [t('column.name'), fn.name],
    [t('column.version'), fn.version],
    [t('column.description'), fn.description],
    [t('column.price'), fn.price],
    ['', [...flags, ...fn.tags].join(', ')],
    ['input', fn.input === null ? '' : JSON.stringify(fn.input, undefined, 2)],
    ['output', fn.output === null ? '' : JSON.stringify(fn.output, undefined, 2)],
    [
      t('column.providers'),
      fn.providers
        .map(
          ({ name, peerId, rttMs }) => `${name}  ${peerId}  ${rttMs === null ? '' : formatDuration(rttMs)}`,
        )
        .join('\n'),
    ],
  ])
}
