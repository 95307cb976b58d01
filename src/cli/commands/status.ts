import type { Command } from 'commander'
import type { StatusView } from '../../model/views.ts'
import { HttpClient } from '../../sdk/http-client.ts'
import { sleep } from '../../util/signals.ts'
import type { Cli } from '../cli.ts'
import { forOthers } from '../addresses.ts'
import { formatDuration, parseDuration } from '../duration.ts'

const WAIT_POLL_MS = 100

export function define(program: Command, cli: Cli): void {
  program
    .command('status')
    .description(cli.t('command.status'))
    .option('--check', cli.t('option.check'))
    .option('--wait <duration>', cli.t('option.wait'))
    .action(async (options: { check?: true; wait?: string }) => {
      if (options.wait !== undefined) await waitUntilItServes(cli, parseDuration(options.wait))
      using api = await HttpClient.open(cli.target)
      const status = await api.status({ signal: cli.signal })
      if (cli.options.json === true) cli.out.json(status)
      else if (options.check !== true) await printStatus(cli, status)
    })
}

/** For service managers: returns when the daemon answers or the time is over, which the next request tells. */
async function waitUntilItServes(cli: Cli, waitMs: number): Promise<void> {
  // Every other use of this command is spared what starting a daemon needs.
  const { statusOfRunning } = await import('../background-daemon.ts')
  const until = performance.now() + waitMs
  while ((await statusOfRunning(cli.target, cli.signal)) === undefined && performance.now() < until) {
    await sleep(WAIT_POLL_MS, cli.signal)
  }
}

/** The state of the daemon as people read it. */
export async function printStatus(cli: Cli, status: StatusView): Promise<void> {
  const { t, out } = cli
  if (cli.options.quiet === true) return out.line(status.peerId)
  // A daemon that was started before an update has no meshes.
  const meshes = (status.meshes ?? []).map(({ name, role }) => `${name} (${t(`role.${role}`)})`)
  const fields = [
    [t('status.name'), status.name],
    [t('status.peerId'), status.peerId],
    [t('status.meshes'), meshes.join('\n')],
    [t('status.version'), status.version],
    [t('status.uptime'), formatDuration(status.uptimeMs)],
    [t('status.reachability'), `${status.reachability}: ${t(`reachability.${status.reachability}`)}`],
    [t('status.addresses'), forOthers(status.addresses).join('\n')],
    [t('status.peers'), String(status.peers)],
    [t('status.functions'), String(status.functions)],
    [t('status.calls'), t('status.callCounts', status.calls)],
    [t('status.storage'), status.storage === 'full' ? t('status.storageFull') : ''],
  ] as const
  await printFields(cli, fields)
}

/** Lines of `label  value`, without empty ones; further lines of a value stand under its first. */
export async function printFields(
  cli: Cli,
  fields: readonly (readonly [label: string, value: string])[],
): Promise<void> {
  const rows = fields
    .filter(([, value]) => value !== '')
    .flatMap(([label, value]) =>
      value.split('\n').map((line, index) => [index === 0 ? label : '', cli.out.safe(line)] as const),
    )
  await cli.out.fields(rows)
}

/** The last letters of a peer id: enough to tell the devices of a mesh apart. */
export function shortPeerId(peerId: string): string {
  return peerId.length <= 12 ? peerId : `…${peerId.slice(-8)}`
}
