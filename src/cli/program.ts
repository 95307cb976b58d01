import { Command, CommanderError } from 'commander'
import type { Cli, CommandModule } from './cli.ts'
import { usageError } from './errors.ts'
import type { MessageKey } from './messages/en.ts'

// Only the command that is run is loaded: `easynet status` has to answer at once.
const COMMANDS: Record<string, () => Promise<CommandModule>> = {
  up: () => import('./commands/up.ts'),
  down: () => import('./commands/down.ts'),
  status: () => import('./commands/status.ts'),
  call: () => import('./commands/call.ts'),
  serve: () => import('./commands/serve.ts'),
  fn: () => import('./commands/fn.ts'),
  peer: () => import('./commands/peer.ts'),
  ping: () => import('./commands/ping.ts'),
  ps: () => import('./commands/ps.ts'),
  task: () => import('./commands/task.ts'),
  logs: () => import('./commands/logs.ts'),
  config: () => import('./commands/config.ts'),
  version: () => import('./commands/version.ts'),
}

/** Runs one command line. @throws {@link EasyNetError} for the caller to report */
export async function runProgram(cli: Cli, argv: readonly string[]): Promise<void> {
  const program = createProgram(cli)
  const chosen =
    firstOperand(argv) === 'help' ? firstOperand(argv.slice(argv.indexOf('help') + 1)) : firstOperand(argv)
  for (const [name, load] of Object.entries(COMMANDS)) {
    if (name === chosen) (await load()).define(program, cli)
    else program.command(name).description(cli.t(`command.${name}` as MessageKey))
  }
  prepare(program, cli)
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0 || error.code === 'commander.help') return
    const { command, names } = failedCommand(program, argv)
    throw usageError(cli, error, command, names)
  }
}

function createProgram(cli: Cli): Command {
  const { t } = cli
  return new Command('easynet')
    .description(t('help.about'))
    .option('--home <dir>', t('option.home'))
    .option('--json', t('option.json'))
    .option('-q, --quiet', t('option.quiet'))
    .addHelpText('after', `\n${t('help.exitCodes')}`)
}

function prepare(command: Command, cli: Cli): void {
  const titles: Record<string, MessageKey> = {
    'Usage:': 'help.usage',
    'Arguments:': 'help.arguments',
    'Options:': 'help.options',
    'Commands:': 'help.commands',
  }
  command
    .exitOverride()
    .helpOption('-h, --help', cli.t('option.help'))
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => cli.out.write(text),
      // Help for a command line that names no command; errors are reported by `reportError`.
      writeErr: (text) => cli.out.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => cli.stdout.columns ?? 100,
    })
    .configureHelp({
      styleTitle: (title) => (titles[title] === undefined ? title : cli.t(titles[title])),
    })
  if (command.commands.length > 0) command.helpCommand('help [command]', cli.t('command.help'))
  for (const inner of command.commands) prepare(inner, cli)
}

/** The first word that is neither an option nor the value of a global one. */
function firstOperand(argv: readonly string[]): string | undefined {
  return argv.find((word, index) => !word.startsWith('-') && argv[index - 1] !== '--home')
}

/** The innermost command that the words name, and the commands that could have followed. */
function failedCommand(program: Command, argv: readonly string[]): { command: Command; names: string[] } {
  let command = program
  for (const word of argv) {
    const next = command.commands.find((inner) => inner.name() === word)
    if (next !== undefined) command = next
  }
  return { command, names: command.commands.map((inner) => inner.name()) }
}
