import { configKeys } from '../config/keys.ts'
import type { LoadedConfig } from '../config/load.ts'
import { EasyNetError } from '../errors/error.ts'
import type { Logger } from '../telemetry/logger.ts'

/**
 * What SIGHUP does: reads the configuration again and applies the log level at once. Of other changes it
 * says that they need a restart; an invalid configuration changes nothing.
 */
export function reloadConfig(load: () => LoadedConfig, running: LoadedConfig, logger: Logger): () => void {
  return () => {
    try {
      const next = load()
      logger.level = next.config.log.level
      const value = (from: LoadedConfig, key: (typeof configKeys)[number]): string =>
        JSON.stringify(from.settings[key].value)
      const needRestart = configKeys.filter(
        (key) => key !== 'log.level' && value(next, key) !== value(running, key),
      )
      logger.info({ logLevel: logger.level, needRestart }, 'configuration read again')
    } catch (error) {
      logger.error(
        { err: EasyNetError.from(error) },
        'the new configuration is not valid; nothing was changed',
      )
    }
  }
}
