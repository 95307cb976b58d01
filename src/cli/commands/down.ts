import type { Command } from 'commander'
import { EasyNetError } from '../../errors/error.ts'
import { findDaemon } from '../../sdk/find-daemon.ts'
import { HttpClient } from '../../sdk/http-client.ts'
import { sleep } from '../../util/signals.ts'
import { statusOfRunning } from '../background-daemon.ts'
import type { Cli } from '../cli.ts'

/** The daemon gives running calls 30 s. */
const DRAIN_TIMEOUT_MS = 40_000
const ABORT_TIMEOUT_MS = 5_000
const POLL_MS = 50

export function define(program: Command, cli: Cli): void {
  const { t, out } = cli
  program
    .command('down')
    .description(t('command.down'))
    .option('--now', t('option.now'))
    .action(async (options: { now?: true }) => {
      const status = await statusOfRunning(cli.target, cli.signal)
      if (status !== undefined) await stop(cli, options.now === true, status.calls.running)
      if (cli.options.json === true) out.json({ schema: 'down/1', stopped: status !== undefined })
      else if (cli.options.quiet !== true)
        out.note(t(status === undefined ? 'down.notRunning' : 'down.stopped'))
    })
}

async function stop(cli: Cli, now: boolean, running: number): Promise<void> {
  const { pid } = await findDaemon(cli.target)
  using api = await HttpClient.open(cli.target)
  await api.shutdown({ signal: cli.signal })
  if (pid === undefined) return
  if (!now) {
    if (running > 0 && cli.options.quiet !== true) cli.out.note(cli.t('down.waiting', { count: running }))
    if (await hasEnded(cli, pid, DRAIN_TIMEOUT_MS)) return
  } else {
    // The shutdown was the first signal; a second one aborts what still runs.
    if (await hasEnded(cli, pid, POLL_MS * 4)) return
    kill(pid, 'SIGTERM')
    if (await hasEnded(cli, pid, ABORT_TIMEOUT_MS)) return
  }
  kill(pid, 'SIGKILL')
  if (await hasEnded(cli, pid, ABORT_TIMEOUT_MS)) return
  throw new EasyNetError('internal', `The daemon (pid ${pid}) does not end.`, { hint: `kill -9 ${pid}` })
}

/** True once the process is gone. */
async function hasEnded(cli: Cli, pid: number, timeoutMs: number): Promise<boolean> {
  for (
    const until = performance.now() + timeoutMs;
    performance.now() < until;
    await sleep(POLL_MS, cli.signal)
  ) {
    if (!isAlive(pid)) return true
  }
  return false
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  if (isAlive(pid)) process.kill(pid, signal)
}
