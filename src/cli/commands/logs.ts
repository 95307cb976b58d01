import type { Command } from 'commander'
import type { FileHandle } from 'node:fs/promises'
import { EasyNetError } from '../../errors/error.ts'
import { sleep } from '../../util/signals.ts'
import type { Cli } from '../cli.ts'
import { lastLines, openLog, parseLine } from '../log-file.ts'

const POLL_MS = 200
const READ_BYTES = 64 * 1024

export function define(program: Command, cli: Cli): void {
  const { t } = cli
  program
    .command('logs')
    .description(t('command.logs'))
    .option('-f, --follow', t('option.follow'))
    .option('-n, --lines <n>', t('option.lines'), '100')
    .action(async (options: { follow?: true; lines: string }) => {
      const count = Number(options.lines)
      if (!Number.isSafeInteger(count) || count < 0) {
        throw new EasyNetError(
          'invalid_request',
          `"${options.lines.slice(0, 40)}" is not a number of lines.`,
          {
            hint: 'easynet logs -n 100',
          },
        )
      }
      await using file = await openLog(cli.home.logFile)
      const { lines, end } = await lastLines(file, count)
      if (cli.options.json === true && options.follow !== true) {
        return cli.out.json({ schema: 'logs/1', file: cli.home.logFile, lines: lines.map(parseLine) })
      }
      lines.forEach((line) => printLine(cli, line))
      if (options.follow === true) await follow(cli, file, end)
    })
}

async function follow(cli: Cli, file: FileHandle, from: number): Promise<void> {
  const decoder = new TextDecoder()
  let at = from
  let rest = ''
  while (!cli.signal.aborted) {
    const { size } = await file.stat()
    // Shorter than before: it was emptied, and starts anew.
    if (size < at) at = 0
    const { bytesRead, buffer } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, at)
    if (bytesRead === 0) {
      await sleep(POLL_MS, cli.signal)
      continue
    }
    at += bytesRead
    const lines = (rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach((line) => printLine(cli, line))
  }
}

/** As it is for programs; for people, time, level and text before the other fields. */
function printLine(cli: Cli, line: string): void {
  const { out } = cli
  if (!out.isTTY || cli.options.json === true || !line.startsWith('{')) return out.line(out.safe(line))
  try {
    const {
      time,
      level,
      msg,
      pid: _pid,
      hostname: _hostname,
      ...fields
    } = JSON.parse(line) as Record<string, unknown>
    const others = Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    const at = new Date(time as string | number).toISOString()
    out.line(
      out.safe(
        [
          at,
          typeof level === 'string' ? level.toUpperCase() : '',
          typeof msg === 'string' ? msg : '',
          ...others,
        ].join(' '),
      ),
    )
  } catch {
    // Half a line, or one of another program: as it is.
    out.line(out.safe(line))
  }
}
