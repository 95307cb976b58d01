import { EasyNetError } from '../errors/error.ts'
import { requireFolder } from '../util/home.ts'
import { type Cli, type CliInit, createCli } from './cli.ts'
import { EXIT } from './exit-codes.ts'
import { readGlobalOptions } from './global-options.ts'
import { runProgram } from './program.ts'
import { listenForStop, stopCodeOf } from './stop-signals.ts'

/**
 * Runs `easynet` with these arguments and returns the exit code.
 *
 * @example
 * process.exitCode = await run(['status', '--json'], { stdin, stdout, stderr, env, signal })
 */
export async function run(argv: readonly string[], init: CliInit): Promise<number> {
  const cli = await createCli(init, readGlobalOptions(argv))
  try {
    checkHome(cli)
    await runProgram(cli, argv)
    return init.signal.aborted ? stopCodeOf(init.signal) : cli.exit.code
  } catch (error) {
    const { reportError } = await import('./errors.ts')
    return reportError(cli, error)
  }
}

/** @throws {@link EasyNetError} for a home that cannot be one */
function checkHome({ options, home, t }: Cli): void {
  if (options.home === '') {
    const details = { why: t('error.emptyHome') }
    const hint = 'easynet --home DIR …'
    throw new EasyNetError('invalid_request', t('error.missingOptionValue', { name: '--home' }), {
      hint,
      details,
    })
  }
  requireFolder(home.root)
}

/** Runs the command line of this process. */
export async function runAsProcess(): Promise<void> {
  const signal = listenForStop()
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The terminal is gone: what is being cancelled still has to be told.
      if (signal.aborted) return
      // The reader, such as `head`, has seen enough.
      process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.internal)
    })
  }
  const { stdin, stdout, stderr, env } = process
  const init = { stdin, stdout, stderr, env, signal }
  process.exitCode = await run(process.argv.slice(2), init)
}
