import { Command, CommanderError } from 'commander'
import type { ConfigKey } from '../config/keys.ts'
import type { FlagSetting } from '../config/layers.ts'
import { DEFAULT_API_LISTEN, DEFAULT_PEER_LISTEN } from '../config/schema.ts'
import { EasyNetError } from '../errors/error.ts'

/** The command line of `easynetd`. */
export interface DaemonFlags {
  /** Folder of everything that the daemon keeps. */
  home?: string
  settings: FlagSetting[]
  /** Where the log goes instead of stderr; kept small. */
  logFile?: string
}

const SETTINGS: Record<string, ConfigKey> = {
  name: 'name',
  listen: 'network.listen',
  api: 'api.listen',
  bootstrap: 'network.bootstrap',
  mdns: 'network.mdns',
  relay: 'network.relay',
  gateway: 'api.gateway',
  logLevel: 'log.level',
}

/**
 * Reads the command line, or returns the text that `--help` and `--version` ask for.
 *
 * @throws {@link EasyNetError} `invalid_request` for a flag that does not exist or lacks its value
 */
export function parseFlags(argv: readonly string[], version: string): DaemonFlags | { print: string } {
  let printed = ''
  const command = createCommand(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => (printed += text), writeErr: () => {} })
  try {
    command.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { print: printed }
    throw new EasyNetError('invalid_request', sentence(error.message), {
      hint: 'easynetd --help',
      cause: error,
    })
  }
  const options = command.opts<Record<string, unknown>>()
  const settings = Object.entries(SETTINGS)
    .filter(([option]) => command.getOptionValueSource(option) === 'cli')
    .map(([option, key]) => ({ key, value: options[option] }))
  const home = options['home'] as string | undefined
  if (home === '') {
    throw new EasyNetError('invalid_request', 'The option --home is empty.', { hint: 'easynetd --home DIR' })
  }
  const logFile = options['logFile'] as string | undefined
  return {
    settings,
    ...(home === undefined ? {} : { home }),
    ...(logFile === undefined ? {} : { logFile }),
  }
}

function createCommand(version: string): Command {
  const collect = (text: string, before: string[] | undefined): string[] => [...(before ?? []), text]
  return new Command('easynetd')
    .description(
      'Runs this device in the mesh, in the foreground: one JSON line on stdout when it serves, log lines on stderr.',
    )
    .option('--home <dir>', 'folder of everything it keeps (or EASYNET_HOME; default: the XDG folders)')
    .option('--name <name>', 'what people call this device (default: its host name)')
    .option(
      '--listen <multiaddr>',
      `where other devices connect, repeatable (default: ${DEFAULT_PEER_LISTEN})`,
      collect,
    )
    .option(
      '--api <host:port>',
      `the control API, loopback only; port 0 takes a free one (default: ${DEFAULT_API_LISTEN})`,
    )
    .option('--bootstrap <multiaddr>', 'device to connect to at the start, repeatable', collect)
    .option('--no-mdns', 'do not look for devices on the local network')
    .option('--relay', 'pass traffic on for devices that cannot reach each other')
    .option('--gateway <host:port>', 'a second port for programs that are told HOST:PORT; loopback only')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent (default: info)')
    .option('--log-file <file>', 'log there instead of stderr, in 5 files of 10 MB; easynet up sets it')
    .option('--json', 'print an error that stops the start as JSON')
    .version(version)
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
}

/** commander's `error: unknown option '--x'` as a sentence. */
function sentence(message: string): string {
  const text = message.replace(/^error: /, '').replace('\n', ' ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
