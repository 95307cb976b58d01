import type { Command } from 'commander'
import { writeFileSync } from 'node:fs'
import { EasyNetError } from '../../errors/error.ts'
import { type BugReport, collectReport } from '../bugreport/collect.ts'
import type { Cli } from '../cli.ts'

export function define(program: Command, cli: Cli): void {
  const { t, out } = cli
  program
    .command('bugreport')
    .description(t('command.bugreport'))
    .option('-o, --output <file>', t('option.output'))
    .action(async ({ output }: { output?: string }) => {
      const report = await collectReport(cli)
      if (output !== undefined) {
        writeNew(output, `${JSON.stringify(report, undefined, 2)}\n`)
        if (cli.options.json === true) return out.json({ schema: 'bugreport-file/1', file: output })
        if (cli.options.quiet === true) return out.line(output)
        report.contains.forEach((line) => out.note(line))
        return out.note(t('bugreport.written', { file: output }))
      }
      if (cli.options.json === true) return out.json(report)
      out.write(asText(report))
    })
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    throw new EasyNetError('invalid_request', `The report cannot be written: ${String(cause)}`, {
      hint: 'easynet bugreport --output OTHER_FILE',
      details: { why: 'It has to be a new file in a folder that exists.' },
      cause,
    })
  }
}

/** The report in sections, each value as JSON on a line of its own. */
function asText({ contains, ...report }: BugReport): string {
  const sections = Object.entries(report).map(([name, value]) => {
    if (Array.isArray(value)) return [`## ${name}`, ...value.map(asLine)]
    if (typeof value !== 'object' || value === null) return [`## ${name}`, asLine(value)]
    return [`## ${name}`, ...Object.entries(value).map(([key, inner]) => `${key}: ${asLine(inner)}`)]
  })
  return `${[contains, ...sections].map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function asLine(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
