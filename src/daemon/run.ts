import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { EasyNetError } from '../errors/error.ts'
import { loadDeviceKey } from '../identity/device-key.ts'
import { loadOwnerKey } from '../identity/owner-key.ts'
import { openNodeDatabases } from '../storage/node-databases.ts'
import { ensurePrivateDir } from '../util/private-files.ts'
import { createNodeEvents } from '../telemetry/events.ts'
import { openLogFile } from '../telemetry/log-file.ts'
import { createLogger } from '../telemetry/logger.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { locateHome, requireFolder } from '../util/home.ts'
import { ownPackage } from '../util/installation.ts'
import { publishDaemonFile, removeRunFiles, writeToken } from './daemon-file.ts'
import { describeError, exitCodeOf } from './exit.ts'
import { type DaemonFlags, parseFlags } from './flags.ts'
import { createLifecycle } from './lifecycle.ts'
import { apiAddress, choosePeerAddresses, gatewayAddress } from './listen.ts'
import type { CreateNode } from './node-types.ts'
import { reloadConfig } from './reload.ts'
import { createOpenFilesWatch } from './open-files-watch.ts'
import { lockHome } from './single-instance.ts'

/** Time that running calls have to end after SIGTERM. */
const DRAIN_MS = 30_000
/** Time that closing may take after that, before the process ends anyway. */
const CLOSE_MS = 5_000

export interface RunInit {
  /** Arguments after the program's name. */
  argv: readonly string[]
  env: NodeJS.ProcessEnv
  /** Loads the composition root; late, so that `--help` and a refused start are fast. */
  loadNode: () => Promise<CreateNode>
}

/** Runs `easynetd` until it is stopped. Resolves with the exit code; errors went to stderr. */
export async function runDaemon(init: RunInit): Promise<number> {
  try {
    const { version } = ownPackage()
    const flags = parseFlags(init.argv, version)
    if ('print' in flags) process.stdout.write(flags.print)
    else await serve(flags, version, init)
    return 0
  } catch (thrown) {
    const error = EasyNetError.from(thrown)
    process.stderr.write(describeError(error, init.argv.includes('--json')))
    return exitCodeOf(error)
  }
}

async function serve(flags: DaemonFlags, version: string, { env, loadNode }: RunInit): Promise<void> {
  // Whatever is created from here on is for this user only.
  process.umask(0o077)
  const home = locateHome(flags.home, env)
  requireFolder(home.root)
  const load = (): LoadedConfig => loadConfig({ userFile: home.configFile, env, flags: flags.settings })
  const loaded = load()
  await using stack = new AsyncDisposableStack()
  const stream =
    flags.logFile === undefined ? {} : { stream: stack.use(openLogFile({ path: flags.logFile })) }
  const logger = createLogger({ level: loaded.config.log.level, ...stream })
  if (loaded.config.network.relay)
    logger.warn({}, 'relaying is not part of this version: --relay does nothing')
  const gateways = gatewayAddress(loaded.config.api.gateway)

  ensurePrivateDir(home.stateDir)
  ensurePrivateDir(home.runDir)
  stack.use(lockHome(home))
  removeRunFiles(home)
  const lifecycle = stack.use(
    createLifecycle({
      logger,
      reload: reloadConfig(load, loaded, logger),
      abandon: () => removeRunFiles(home),
    }),
  )
  const deviceKey = loadDeviceKey(home.keyFile)
  const ownerKey = loadOwnerKey(home.ownerKeyFile)
  const databases = stack.use(
    openNodeDatabases(home, (isFull) => {
      if (isFull)
        logger.error({ folder: home.stateDir }, 'the disk is full: calls that have to be noted are refused')
      else logger.info({ folder: home.stateDir }, 'the disk has room again')
    }),
  )
  const events = createNodeEvents()
  const [createNode, { createApiServer }, config] = await Promise.all([
    loadNode(),
    import('../api/server.ts'),
    withUsablePorts(loaded),
  ])
  const metrics = stack.use(createMetrics())
  const node = stack.use(
    await createNode({
      config,
      home,
      databases,
      deviceKey,
      ownerKey,
      logger,
      events,
      version,
      metrics,
      requestShutdown: () => lifecycle.stop('a program asked for it'),
    }),
  )
  const token = writeToken(home)
  const api = stack.use(
    await createApiServer(
      { node: node.api, token, logger, metrics },
      {
        listen: [apiAddress(config.api.listen, isDefault(loaded, 'api.listen')), ...gateways],
        socketPath: home.socketFile,
        replaceSocket: true,
      },
    ),
  )
  const [url = '', gatewayUrl] = api.urls
  const { peerId, name } = node
  const socket = api.socketPath === undefined ? {} : { socket: api.socketPath }
  const gateway = gatewayUrl === undefined ? {} : { gateway: new URL(gatewayUrl).host }
  const addresses = node.addresses()
  const { pid } = process
  stack.use(createOpenFilesWatch(logger))
  stack.use(publishDaemonFile(home, { url, ...socket, ...gateway, pid, version, peerId, addresses }))
  logger.info({ url, ...gateway, peerId, name, addresses, version }, 'serving')
  process.stdout.write(`${JSON.stringify({ ready: true, url, peerId })}\n`)

  await lifecycle.stopped()
  events.draining()
  await node.drain(AbortSignal.timeout(DRAIN_MS))
  logger.info({}, 'running calls have ended, closing')
  const giveUp = (): void => {
    logger.error({ closeMs: CLOSE_MS }, 'closing took too long')
    removeRunFiles(home)
    process.exit(1)
  }
  setTimeout(giveUp, CLOSE_MS).unref()
}

async function withUsablePorts(loaded: LoadedConfig): Promise<LoadedConfig['config']> {
  const { config } = loaded
  const listen = await choosePeerAddresses(config.network.listen, isDefault(loaded, 'network.listen'))
  return { ...config, network: { ...config.network, listen } }
}

function isDefault(loaded: LoadedConfig, key: 'api.listen' | 'network.listen'): boolean {
  return loaded.settings[key].origin === 'default'
}
