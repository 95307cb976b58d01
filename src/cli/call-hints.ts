import type { EasyNetError } from '../errors/error.ts'
import { HttpClient } from '../sdk/http-client.ts'
import { NAMED } from './call-arguments.ts'
import type { Cli } from './cli.ts'
import { nearest } from './nearest.ts'
import { shellWord } from './shell-word.ts'

/** What stands on the command line of a call. */
export interface GivenCall {
  fn: string
  words: readonly string[]
  timeoutMs: number
}

/** The same error with a command to paste, where the words of the command line tell what went wrong. */
export async function withHintFor(
  cli: Cli,
  error: EasyNetError,
  { fn, words, timeoutMs }: GivenCall,
): Promise<EasyNetError> {
  const hint = await hintFor()
  return hint === undefined ? error : error.with({ hint })

  async function hintFor(): Promise<string | undefined> {
    if (error.reason === 'no_provider') return hintForName(cli, fn, words)
    if (error.reason === 'invalid_request') return hintForTypes(error, fn, words)
    return error.reason === 'deadline_exceeded' ? hintForTime(error, fn, words, timeoutMs) : undefined
  }
}

function hintForTime(error: EasyNetError, fn: string, words: readonly string[], timeoutMs: number): string {
  const limitMs = error.details?.['timeoutMs']
  // Shorter than what was given: the function was registered with it.
  if (typeof limitMs === 'number' && limitMs < timeoutMs)
    return `Its provider gives it ${limitMs} ms (timeoutMs): ${commandLine('fn show', fn, [])}`
  const minutes = Math.max(5, Math.ceil((2 * timeoutMs) / 60_000))
  return `Give it more time: ${commandLine('call', fn, [...words, '--timeout', `${minutes}m`])}`
}

/** A function of nearly that name. */
export async function hintForName(
  cli: Cli,
  fn: string,
  words: readonly string[],
  command = 'call',
): Promise<string | undefined> {
  const [, device = '', name = ''] = /^(.*\/)?(.*)$/.exec(fn) ?? []
  try {
    using api = await HttpClient.open(cli.target)
    const functions = await api.functions({}, { signal: cli.signal })
    const near = nearest(
      name,
      functions.map((one) => one.name).filter((known) => known !== name),
    )
    if (near === undefined) return undefined
    return `The nearest name is ${near}: ${commandLine(command, device + near, words)}`
  } catch {
    // The error at hand says more than that no list of functions could be had.
    return undefined
  }
}

/** Text where the function wants a number, a switch or a list: it would have been JSON in another form. */
function hintForTypes(error: EasyNetError, fn: string, words: readonly string[]): string | undefined {
  const issues: unknown = error.details?.['issues']
  if (!Array.isArray(issues)) return undefined
  const paths = issues.flatMap(({ path }: { path?: unknown }) => (typeof path === 'string' ? path : []))
  const asJson = words.map((word) => {
    const [prefix = '', key = '', form] = NAMED.exec(word) ?? []
    const text = word.slice(prefix.length)
    const isWrong = paths.some((path) => path === key || path.startsWith(`${key}.`))
    return form === '=' && isWrong && isOtherJson(text) ? `${key}:=${text}` : word
  })
  if (asJson.some((word, index) => word !== words[index]))
    return `Write numbers and other JSON with := instead of =: ${commandLine('call', fn, asJson)}`
  const [only = '', ...others] = words
  if (others.length > 0 || !paths.includes('') || !isOtherJson(only)) return undefined
  return `Arguments that are not text go into a list: ${commandLine('call', fn, ['--args', `[${only}]`])}`
}

function isOtherJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) !== 'string'
  } catch {
    return false
  }
}

function commandLine(command: string, fn: string, words: readonly string[]): string {
  return ['easynet', command, ...[fn, ...words].map(shellWord)].join(' ')
}
