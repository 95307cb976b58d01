import type { Command } from 'commander'
import type { DaemonTarget } from '../sdk/find-daemon.ts'
import { type Home, locateHome } from '../util/home.ts'
import type { GlobalOptions } from './global-options.ts'
import { loadTexts, type Texts, type Translate } from './messages/translate.ts'
import { createOutput, type Output, type OutputStream } from './output.ts'

/** What the process gives to the CLI; a test gives its own. */
export interface CliInit {
  stdin: NodeJS.ReadableStream
  stdout: OutputStream
  stderr: OutputStream
  env: NodeJS.ProcessEnv
  /** Aborts when the process is asked to stop: Ctrl-C, SIGTERM, a closed terminal. */
  signal: AbortSignal
}

/** What every command works with. */
export interface Cli extends CliInit {
  out: Output
  texts: Texts
  t: Translate
  options: GlobalOptions
  home: Home
  /** The daemon that `--home` names. */
  target: DaemonTarget
  /** What the process ends with when no error is thrown. @default 0 */
  exit: { code: number }
}

/** A file in `commands/`: adds its command, and what it does, to the program. */
export interface CommandModule {
  define(program: Command, cli: Cli): void
}

export async function createCli(init: CliInit, options: GlobalOptions): Promise<Cli> {
  const texts = await loadTexts(init.env)
  return {
    ...init,
    options,
    texts,
    exit: { code: 0 },
    t: texts.t,
    out: createOutput(init.stdout, init.stderr, init.env),
    home: locateHome(options.home, init.env),
    target: options.home === undefined ? {} : { home: options.home },
  }
}
