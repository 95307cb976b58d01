import { type Command, Option } from 'commander'
import type { StatusView } from '../../model/views.ts'
import { HttpClient } from '../../sdk/http-client.ts'
import { startInBackground, statusOfRunning } from '../background-daemon.ts'
import type { Cli } from '../cli.ts'
import { forOthers } from '../addresses.ts'
import { reachabilityText, type Search, searchOf, waitForPeer } from '../first-peer.ts'
import { shellWord } from '../shell-word.ts'
import { printFields, shortPeerId } from './status.ts'

interface Options {
  name?: string
  listen?: string[]
  api?: string
  bootstrap?: string[]
  mdns: boolean
  relay?: true
  gateway?: string
  logLevel?: string
}

export function define(program: Command, cli: Cli): void {
  const { t } = cli
  const collect = (value: string, all: string[] = []): string[] => [...all, value]
  program
    .command('up')
    .description(t('command.up'))
    .option('--name <name>', t('option.name'))
    .addOption(new Option('--listen <multiaddr>', t('option.listen')).argParser(collect))
    .option('--api <host:port>', t('option.api'))
    .addOption(new Option('--bootstrap <multiaddr>', t('option.bootstrap')).argParser(collect))
    .option('--no-mdns', t('option.noMdns'))
    .option('--relay', t('option.relay'))
    .option('--gateway <host:port>', t('option.gateway'))
    .option('--log-level <level>', t('option.logLevel'))
    .action(async (options: Options) => {
      const running = await statusOfRunning(cli.target, cli.signal)
      const status =
        running ?? (await startInBackground(cli.home, cli.target, daemonArgs(options), cli.signal))
      if (running !== undefined) noteIgnored(cli, daemonArgs(options))
      if (cli.options.json === true) return cli.out.json(status)
      if (cli.options.quiet === true) return cli.out.line(status.peerId)
      const title = t(running === undefined ? 'up.started' : 'up.running', { name: status.name })
      cli.out.line(cli.out.isTTY ? cli.out.style('bold', cli.out.safe(title)) : title)
      await printUp(cli, status, searchOf(cli, options))
    })
}

function daemonArgs(options: Options): string[] {
  const { name, listen = [], api, bootstrap = [], mdns, relay, gateway, logLevel } = options
  const single = { '--name': name, '--api': api, '--gateway': gateway, '--log-level': logLevel }
  return [
    ...Object.entries(single).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value])),
    ...listen.flatMap((address) => ['--listen', address]),
    ...bootstrap.flatMap((address) => ['--bootstrap', address]),
    ...(mdns ? [] : ['--no-mdns']),
    ...(relay === true ? ['--relay'] : []),
  ]
}

/** Otherwise people take them for settings of the daemon that runs. */
function noteIgnored({ t, out, options }: Cli, args: readonly string[]): void {
  const flags = args.filter((arg) => arg.startsWith('--'))
  if (flags.length > 0 && options.json !== true) out.note(t('up.ignored', { flags: flags.join(' ') }))
}

async function printUp(cli: Cli, started: StatusView, search: Search): Promise<void> {
  const { t, out } = cli
  if (out.notesToTTY && started.peers === 0) out.note(out.style('dim', t('up.searching')))
  const { status, unanswered } = await waitForPeer(cli, search, started)
  await printFields(cli, [
    [t('status.peerId'), shortPeerId(status.peerId)],
    [t('status.reachability'), reachabilityText(cli, status, search)],
    [t('status.peers'), String(status.peers)],
  ])
  for (const address of unanswered) out.note(out.safe(t('up.unanswered', { address })))
  const home = cli.options.home === undefined ? '' : ` --home ${shellWord(cli.options.home)}`
  const next = (await offersHello(cli)) ? 'call hello 世界' : 'serve FILE'
  out.line(`${t('up.next')}\n  easynet ${next}${home}\n  easynet fn ls${home}`)
  const [address] = forOthers(status.addresses)
  if (address !== undefined) out.line(`${t('up.elsewhere')}\n  easynet up --bootstrap ${address}`)
}

async function offersHello(cli: Cli): Promise<boolean> {
  using api = await HttpClient.open(cli.target)
  return (await api.functions({ q: 'hello' }, { signal: cli.signal })).some(({ name }) => name === 'hello')
}
