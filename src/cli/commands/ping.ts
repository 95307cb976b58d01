import type { Command } from 'commander'
import { EasyNetError } from '../../errors/error.ts'
import { HttpClient } from '../../sdk/http-client.ts'
import { sleep } from '../../util/signals.ts'
import type { Cli } from '../cli.ts'

const INTERVAL_MS = 1_000

export function define(program: Command, cli: Cli): void {
  const { t, out } = cli
  program
    .command('ping')
    .description(t('command.ping'))
    .argument('<peer>', t('argument.peer'))
    .option('-c, --count <n>', t('option.count'), '1')
    .action(async (peer: string, options: { count: string }) => {
      const count = parseCount(options.count)
      using api = await HttpClient.open(cli.target)
      const pongs = []
      for (let i = 0; i < count; i++) {
        if (i > 0) await sleep(INTERVAL_MS, cli.signal)
        const pong = await api.ping(peer, { signal: cli.signal })
        pongs.push(pong)
        if (cli.options.json === true) continue
        const ms = Math.round(pong.rttMs * 10) / 10
        const { name, address } = pong
        out.line(
          cli.options.quiet === true
            ? String(ms)
            : out.safe(t('ping.pong', { name, address, ms, path: t(`path.${pong.path}`) })),
        )
      }
      if (cli.options.json === true) out.json({ schema: 'ping/1', ...pongs[0], pongs })
    })
}

function parseCount(text: string): number {
  const count = Number(text)
  if (Number.isSafeInteger(count) && count >= 1) return count
  throw new EasyNetError('invalid_request', `"${text.slice(0, 40)}" is not a number of pings.`, {
    hint: 'easynet ping PEER -c 4',
  })
}
