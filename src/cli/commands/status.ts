import type { Command } from 'commander'
import type { StatusView } from '../../model/views.ts'
import { HttpClient } from '../../sdk/http-client.ts'
import type { Cli } from '../cli.ts'
import { formatDuration } from '../duration.ts'

export function define(program: Command, cli: Cli): void {
  program
    .command('status')
    .description(cli.t('command.status'))
    .option('--check', cli.t('option.check'))
    .action(async (options: { check?: true }) => {
      using api = await HttpClient.open(cli.target)
      const status = await api.status({ signal: cli.signal })
      if (cli.options.json === true) cli.out.json(status)
      else if (options.check !== true) printStatus(cli, status)
    })
}

/** The state of the daemon as people read it. */
export function printStatus(cli: Cli, status: StatusView): void {
  const { t, out } = cli
  if (cli.options.quiet === true) return out.line(status.peerId)
  const fields = [
    [t('status.name'), status.name],
    [t('status.peerId'), status.peerId],
    [t('status.version'), status.version],
    [t('status.uptime'), formatDuration(status.uptimeMs)],
    [t('status.reachability'), `${status.reachability}: ${t(`reachability.${status.reachability}`)}`],
    [t('status.addresses'), status.addresses.join('\n')],
    [t('status.peers'), String(status.peers)],
    [t('status.functions'), String(status.functions)],
    [t('status.calls'), t('status.callCounts', status.calls)],
  ] as const
  printFields(cli, fields)
}

/** Lines of `label  value`, without empty ones; further lines of a value stand under its first. */
export function printFields(cli: Cli, fields: readonly (readonly [label: string, value: string])[]): void {
  const rows = fields
    .filter(([, value]) => value !== '')
    .flatMap(([label, value]) =>
      value.split('\n').map((line, index) => [index === 0 ? label : '', cli.out.safe(line)] as const),
    )
  cli.out.fields(rows)
}

/** The last letters of a peer id: enough to tell the devices of a mesh apart. */
export function shortPeerId(peerId: string): string {
  return peerId.length <= 12 ? peerId : `…${peerId.slice(-8)}`
}
