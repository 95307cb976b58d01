import type { Command } from 'commander'
import { choosePeer } from '../../model/peer-name.ts'
import type { PeerView } from '../../model/views.ts'
import { HttpClient } from '../../sdk/http-client.ts'
import type { Cli } from '../cli.ts'
import { formatDuration } from '../duration.ts'
import { printFields } from './status.ts'

export function define(program: Command, cli: Cli): void {
  const { t } = cli
  const group = program.command('peer').description(t('command.peer'))
  group
    .command('ls')
    .description(t('command.peer.ls'))
    .action(() => list(cli))
  group
    .command('show')
    .description(t('command.peer.show'))
    .argument('<peer>', t('argument.peer'))
    .action(async (name: string) => {
      using api = await HttpClient.open(cli.target)
      await show(cli, choosePeer(name, await api.peers({ signal: cli.signal })))
    })
  for (const verb of ['block', 'unblock'] as const) {
    group
      .command(verb)
      .description(t(`command.peer.${verb}`))
      .argument('<peer>', t('argument.peer'))
      .action(async (name: string) => {
        using api = await HttpClient.open(cli.target)
        const peer = await api.blockPeer(name, verb === 'block', { signal: cli.signal })
        if (cli.options.json === true) return cli.out.json({ schema: 'peer/1', ...peer })
        if (cli.options.quiet === true) return cli.out.line(peer.peerId)
        cli.out.note(cli.out.safe(t(`peer.${verb}ed`, { name: peer.name === '' ? peer.peerId : peer.name })))
      })
  }
}

async function list(cli: Cli): Promise<void> {
  const { out, t } = cli
  using api = await HttpClient.open(cli.target)
  const peers = await api.peers({ signal: cli.signal })
  if (cli.options.json === true) return out.json({ schema: 'peers/1', peers })
  if (cli.options.quiet === true) return peers.forEach(({ peerId }) => out.line(peerId))
  if (peers.length === 0) return out.note(t('list.noPeers'))
  await out.table(
    [
      t('column.name'),
      t('column.path'),
      t('column.rtt'),
      t('column.functions'),
      t('column.seen'),
      t('column.peerId'),
    ],
    peers.map((peer) => [
      out.safe(peer.name),
      pathOf(cli, peer),
      peer.rttMs === null ? '' : formatDuration(peer.rttMs),
      String(peer.functions.length),
      ago(cli, peer.lastSeenAt),
      peer.peerId,
    ]),
  )
}

async function show(cli: Cli, peer: PeerView): Promise<void> {
  const { out, t } = cli
  if (cli.options.json === true) return out.json({ schema: 'peer/1', ...peer })
  if (cli.options.quiet === true) return out.line(peer.peerId)
  await printFields(cli, [
    [t('column.name'), peer.name],
    [t('column.peerId'), peer.peerId],
    [t('column.version'), peer.version ?? ''],
    [t('column.path'), pathOf(cli, peer)],
    [t('column.rtt'), peer.rttMs === null ? '' : formatDuration(peer.rttMs)],
    [t('column.seen'), ago(cli, peer.lastSeenAt)],
    [t('status.addresses'), peer.addresses.join('\n')],
    [t('column.functions'), peer.functions.join('\n')],
  ])
}

function pathOf(cli: Cli, peer: PeerView): string {
  if (peer.blocked) return 'blocked'
  return peer.connected ? cli.t(`path.${peer.path}`) : '-'
}

function ago({ t }: Cli, at: number | null): string {
  return at === null ? '' : t('peer.ago', { time: formatDuration(Math.max(0, Date.now() - at)) })
}
