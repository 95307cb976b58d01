import { Command, CommanderError, Help } from 'commander'
import type { Cli, CommandModule } from './cli.ts'
import { unknownCommand, usageError } from './errors.ts'
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
  key: () => import('./commands/key.ts'),
  doctor: () => import('./commands/doctor.ts'),
  bugreport: () => import('./commands/bugreport.ts'),
  service: () => import('./commands/service.ts'),
  completion: () => import('./commands/completion.ts'),
  version: () => import('./commands/version.ts'),
}

/** Runs one command line. @throws {@link EasyNetError} for the caller to report */
export async function runProgram(cli: Cli, given: readonly string[]): Promise<void> {
  const argv = ['--version', '-V'].includes(given[0] ?? '') ? ['version', ...given.slice(1)] : given
  const isHelp = firstOperand(argv) === 'help'
  const chosen = firstOperand(isHelp ? argv.slice(argv.indexOf('help') + 1) : argv)
  // commander shows the help of everything instead.
  if (isHelp && chosen !== undefined && !Object.hasOwn(COMMANDS, chosen))
    throw unknownCommand(cli, chosen, 'easynet help', Object.keys(COMMANDS))
  // A script that completes words knows every command.
  const program = await createProgram(cli, (name) => name === chosen || chosen === 'completion')
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0 || error.code === 'commander.help') return
    const { command, names } = failedCommand(program, argv)
    throw usageError(cli, error, command, names)
  }
}

/** The tree of commands; of one that is not wanted only its name and description. */
export async function createProgram(cli: Cli, isWanted: (name: string) => boolean): Promise<Command> {
  const program = createRoot(cli)
  for (const [name, load] of Object.entries(COMMANDS)) {
    if (isWanted(name)) (await load()).define(program, cli)
    else program.command(name).description(cli.t(`command.${name}` as MessageKey))
  }
  prepare(program, cli)
  return program
}

function createRoot({ t }: Cli): Command {
  return new Command('easynet')
    .description(t('help.about'))
    .option('--home <dir>', t('option.home'))
    .option('--json', t('option.json'))
    .option('-q, --quiet', t('option.quiet'))
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
      writeOut: (text) => printHelp(cli, text),
      // Help for a command line that names no command; errors are reported by `reportError`.
      writeErr: (text) => printHelp(cli, text),
      outputError: () => undefined,
      getOutHelpWidth: () => cli.stdout.columns ?? 100,
    })
    .configureHelp({
      ...(command.parent === null ? { formatHelp: withExitCodes(cli) } : {}),
      styleTitle: (title) => (titles[title] === undefined ? title : cli.t(titles[title])),
    })
  if (command.commands.length > 0) command.helpCommand('help [command]', cli.t('command.help'))
  for (const inner of command.commands) prepare(inner, cli)
}

/** Help as text or, for programs, as a document: commander writes it in one piece. */
function printHelp(cli: Cli, text: string): void {
  if (cli.options.json === true) cli.out.json({ schema: 'help/1', text })
  else cli.out.write(text)
}

/** One text, and so one document of JSON. */
function withExitCodes({ t }: Cli): Help['formatHelp'] {
  const plain = new Help()
  return (command, helper) => `${plain.formatHelp(command, helper)}\n${t('help.exitCodes')}\n`
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
