import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { EasyNetError } from '../errors/error.ts'

/** Where one daemon keeps its files. Directories have mode 0700, files 0600. */
export interface Home {
  /** The folder that holds everything, when one was given. */
  root?: string
  configFile: string
  stateDir: string
  databaseFile: string
  keyFile: string
  /** Owner key and its successor. */
  ownerKeyFile: string
  logFile: string
  runDir: string
  /** `{url, socket, pid, version, peerId, addresses}` of the running daemon. */
  daemonFile: string
  tokenFile: string
  socketFile: string
}

/**
 * The files of the daemon at `root` (default `EASYNET_HOME`); without either the XDG base directories
 * are used (https://specifications.freedesktop.org/basedir-spec/).
 */
export function locateHome(root: string | undefined, env: NodeJS.ProcessEnv = process.env): Home {
  const given = root ?? env['EASYNET_HOME']
  if (given !== undefined && given !== '') {
    const base = resolve(given)
    return { root: base, ...filesIn(base, join(base, 'state'), join(base, 'run')) }
  }
  const config = absolute(env['XDG_CONFIG_HOME']) ?? join(homedir(), '.config')
  const state = join(absolute(env['XDG_STATE_HOME']) ?? join(homedir(), '.local', 'state'), 'easynet')
  const runtime = absolute(env['XDG_RUNTIME_DIR'])
  return filesIn(
    join(config, 'easynet'),
    state,
    runtime === undefined ? join(state, 'run') : join(runtime, 'easynet'),
  )
}

/**
 * Refuses a home that is a file, before anything is looked for in it.
 *
 * @throws {@link EasyNetError} `invalid_config`
 */
export function requireFolder(home: string | undefined): void {
  if (home === undefined || statSync(home, { throwIfNoEntry: false })?.isDirectory() !== false) return
  throw new EasyNetError('invalid_config', `The home ${home} is a file, not a folder.`, {
    hint: 'Choose a folder: --home DIR, or EASYNET_HOME',
    details: { home },
  })
}

/** Empty and relative values count as unset, as the XDG specification asks. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined
}

function filesIn(configDir: string, stateDir: string, runDir: string): Home {
  return {
    configFile: join(configDir, 'config.toml'),
    stateDir,
    databaseFile: join(stateDir, 'easynet.db'),
    keyFile: join(stateDir, 'identity.key'),
    ownerKeyFile: join(stateDir, 'owner.key'),
    logFile: join(stateDir, 'easynetd.log'),
    runDir,
    daemonFile: join(runDir, 'daemon.json'),
    tokenFile: join(runDir, 'token'),
    socketFile: join(runDir, 'api.sock'),
  }
}
