import { CommanderError, type Command } from 'commander'
import { EasyNetError } from '../errors/error.ts'
import type { ErrorCode } from '../errors/reasons.ts'
import type { Cli } from './cli.ts'
import { exitCodeOf } from './exit-codes.ts'
import { nearest } from './nearest.ts'
import { shellWord } from './shell-word.ts'
import { stopCodeOf } from './stop-signals.ts'

/** Reports a failed command in the form that was asked for, and returns the exit code. */
export function reportError(cli: Cli, thrown: unknown): number {
  const error = EasyNetError.from(thrown)
  const stopped = cli.signal.aborted && error.reason === 'cancelled'
  if (cli.options.json === true) cli.out.json({ schema: 'error/1', error: error.toJSON() })
  else if (stopped) cli.out.note(cli.t('error.cancelled'))
  else printError(cli, error)
  return stopped ? stopCodeOf(cli.signal) : exitCodeOf(error)
}

/** Three lines: what happened, why, and what to try. */
function printError(cli: Cli, error: EasyNetError): void {
  const { out, t } = cli
  const given = error.details?.['why']
  const message = cli.texts.what(error, messageOf(error))
  const why = typeof given === 'string' ? cli.texts.said(given) : cli.texts.why(error) + facts(error, message)
  const lines: [label: string, text: string][] = [
    [out.style('red', t('error.title')), message],
    [t('error.why'), why],
    [t('error.try'), hintFor(cli, error)],
  ]
  for (const [label, text] of lines) out.note(`${label} ${out.safe(oneLine(text))}`)
}

/** An exception is told with its name: `TypeError: broken`. */
function messageOf({ reason, message, details }: EasyNetError): string {
  const name = details?.['name']
  const isNamed = reason === 'function_error' && typeof name === 'string' && name !== '' && name !== 'Error'
  return isNamed ? `${name}: ${message}` : message
}

/** A command to paste has to reach the same daemon, and to name the call. */
function hintFor({ options: { home }, texts }: Cli, error: EasyNetError): string {
  const callId = error.details?.['callId']
  const given = error.hint ?? defaultHint(error)
  const hint = texts.said(typeof callId === 'string' ? given.replace('<call id>', callId) : given)
  return home === undefined ? hint : withHome(hint, shellWord(home))
}

function withHome(hint: string, home: string): string {
  const command = /(?:^|[:：]\s*)(easynet .*[^.。…])$/.exec(hint)?.[1]
  // A system service has its own home.
  if (command === undefined || /--(?:home|system)\b/.test(command)) return hint
  const commands = command
    .split(' && ')
    .map((one) => (one.startsWith('easynet ') ? `${one} --home ${home}` : one))
  return hint.slice(0, -command.length) + commands.join(' && ')
}

/** The details that are numbers or short texts, as `name=value`. */
function facts(error: EasyNetError, message: string): string {
  const shown = Object.entries(error.details ?? {})
    .filter(([, value]) => typeof value === 'number' || (typeof value === 'string' && value.length <= 120))
    .filter(([, value]) => !message.includes(String(value)))
    .map(([name, value]) => `${name}=${String(value)}`)
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`
}

function defaultHint(error: EasyNetError): string {
  const { reason, details } = error
  if (reason === 'function_error') {
    return "The function's own output is in the terminal of easynet serve on that device."
  }
  // Only what a function says of its arguments has issues; only the error of a call has the call's id.
  if (reason === 'invalid_request' && (Array.isArray(details?.['issues']) || 'callId' in (details ?? {}))) {
    const fn = details?.['fn']
    return `easynet fn show ${typeof fn === 'string' ? shellWord(fn) : 'FN'}`
  }
  const hints: Partial<Record<ErrorCode, string>> = {
    not_found: 'easynet fn ls',
    unavailable: 'easynet status',
    deadline_exceeded: 'Give it more time: easynet call FN --timeout 5m',
    unauthenticated: 'easynet down && easynet up',
    invalid_argument: 'easynet help',
  }
  return hints[error.code] ?? 'easynet logs'
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
}

/** What commander found wrong with the command line, in our words. */
export function usageError(
  cli: Cli,
  error: CommanderError,
  command: Command,
  known: readonly string[],
): EasyNetError {
  const { t } = cli
  const name = /'([^']*)'/.exec(error.message)?.[1] ?? ''
  const path = commandPath(command)
  const form = `${path} ${command.usage()}`
  const fail = (message: string, why = t('error.usage', { usage: form })): EasyNetError =>
    new EasyNetError('invalid_request', message, { hint: `${path} --help`, details: { why } })
  switch (error.code) {
    case 'commander.unknownCommand':
      return unknownCommand(cli, name, path, known)
    case 'commander.unknownOption': {
      const near = nearest(name, optionsOf(command))
      const why = near === undefined ? undefined : t('error.didYouMean', { name: near })
      return fail(t('error.unknownOption', { name }), why)
    }
    case 'commander.missingArgument':
      return fail(t('error.missingArgument', { name: name.toUpperCase() }))
    case 'commander.excessArguments':
      return fail(t('error.tooManyArguments'))
    case 'commander.optionMissingArgument':
      return fail(t('error.missingOptionValue', { name }))
    default:
      return fail(error.message.replace(/^error: /, ''))
  }
}

/** @param path - the words before, such as `easynet peer` */
export function unknownCommand(
  { t }: Cli,
  name: string,
  path: string,
  known: readonly string[],
): EasyNetError {
  const near = nearest(name, known)
  const why = near === undefined ? t('error.seeHelp') : t('error.didYouMean', { name: near })
  const hint = `${path} ${near ?? '--help'}`
  return new EasyNetError('invalid_request', t('error.unknownCommand', { name }), { hint, details: { why } })
}

/** Those of the command and of every command around it. */
function optionsOf({ options, parent }: Command): string[] {
  const own = options.flatMap(({ long }) => long ?? [])
  return parent === null ? own : [...own, ...optionsOf(parent)]
}

function commandPath(command: Command): string {
  return command.parent === null ? command.name() : `${commandPath(command.parent)} ${command.name()}`
}
