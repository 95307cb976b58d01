import type { Argument, Command, Option } from 'commander'
import { type CliInit, createCli } from '../../../src/cli/cli.ts'
import { createProgram } from '../../../src/cli/program.ts'
import { recorder } from './support.ts'

/** The whole tree of commands, with texts in `language`. */
export async function fullProgram(language: 'en' | 'zh'): Promise<Command> {
  const init = {
    stdin: process.stdin,
    stdout: recorder(),
    stderr: recorder(),
    env: { EASYNET_LANG: language },
    signal: new AbortController().signal,
  } satisfies CliInit
  return createProgram(await createCli(init, {}), () => true)
}

/** Commands that do something, with the words that lead to them: `['peer', 'ls']`. */
export function leavesOf(command: Command, path: string[] = []): { command: Command; path: string[] }[] {
  if (command.commands.length === 0) return [{ command, path }]
  return command.commands.flatMap((inner) => leavesOf(inner, [...path, inner.name()]))
}

export interface ReferenceTexts {
  intro: string
  global: string
  header: string
}

/** The reference of the commands as a page in Markdown. */
export function renderReference(program: Command, texts: ReferenceTexts): string {
  const sections = leavesOf(program).map(({ command, path }) => {
    const rows = [...command.registeredArguments.map(argumentRow), ...command.options.map(optionRow)]
    const head = `## easynet ${[...path, ...command.registeredArguments.map(argumentTerm)].join(' ')}`
    const table = rows.length === 0 ? [] : ['', texts.header, '|---|---|', ...rows]
    return [head, '', command.description(), ...table].join('\n')
  })
  const global = [texts.header, '|---|---|', ...program.options.map(optionRow)].join('\n')
  return `${[texts.intro, texts.global, global, ...sections].join('\n\n')}\n`
}

function argumentTerm(argument: Argument): string {
  const dots = argument.variadic ? '…' : ''
  const name = `${argument.name().toUpperCase()}${dots}`
  return argument.required ? name : `[${name}]`
}

function argumentRow(argument: Argument): string {
  return row(argument.name().toUpperCase(), argument.description)
}

function optionRow(option: Option): string {
  return row(option.flags, option.description)
}

function row(term: string, text: string): string {
  return `| \`${term}\` | ${text.replaceAll('|', '\\|')} |`
}
