import { EasyNetError } from '../errors/error.ts'
import { nearest } from './nearest.ts'

interface KeyInfo {
  /** How its value is written as text: `list` separates by commas, `switch` is true or false. */
  kind: 'text' | 'list' | 'switch' | 'number'
  env: string
  flag?: string
  /** A project's file may be somebody else's: it must not open this device to others. */
  userOnly?: true
}

/** Every setting and the other ways to give it. */
export const CONFIG_KEYS = {
  name: { kind: 'text', env: 'EASYNET_NAME', flag: '--name' },
  'network.listen': { kind: 'list', env: 'EASYNET_LISTEN', flag: '--listen' },
  'network.bootstrap': { kind: 'list', env: 'EASYNET_BOOTSTRAP', flag: '--bootstrap' },
  'network.mdns': { kind: 'switch', env: 'EASYNET_MDNS', flag: '--no-mdns' },
  'network.relay': { kind: 'switch', env: 'EASYNET_RELAY', flag: '--relay' },
  'api.listen': { kind: 'text', env: 'EASYNET_API', flag: '--api', userOnly: true },
  'api.gateway': { kind: 'text', env: 'EASYNET_GATEWAY', flag: '--gateway', userOnly: true },
  'log.level': { kind: 'text', env: 'EASYNET_LOG_LEVEL', flag: '--log-level' },
  'calls.defaultTimeoutMs': { kind: 'number', env: 'EASYNET_CALLS_DEFAULT_TIMEOUT_MS' },
  'calls.maxRunning': { kind: 'number', env: 'EASYNET_CALLS_MAX_RUNNING' },
} as const satisfies Record<string, KeyInfo>

export type ConfigKey = keyof typeof CONFIG_KEYS

export const configKeys = Object.keys(CONFIG_KEYS) as ConfigKey[]

export function keyInfo(key: ConfigKey): KeyInfo {
  return CONFIG_KEYS[key]
}

/** @throws `invalid_config` with the nearest key when there is no such setting */
export function requireKey(text: string): ConfigKey {
  if (Object.hasOwn(CONFIG_KEYS, text)) return text as ConfigKey
  throw unknownKey(text, 'This')
}

/** @param where - the beginning of the sentence: a file, or `This` */
export function unknownKey(text: string, where: string): EasyNetError {
  const near = nearest(text, configKeys)
  return new EasyNetError(
    'invalid_config',
    `${where} names a setting that does not exist: ${text.slice(0, 80)}.`,
    {
      hint: near === undefined ? `Settings: ${configKeys.join(', ')}` : `Did you mean ${near}?`,
      details: { key: text.slice(0, 80), ...(near === undefined ? {} : { near }) },
    },
  )
}

/**
 * The value that `text` stands for; not validated yet.
 *
 * @throws `invalid_config` when it cannot be of the setting's kind
 */
export function valueFromText(key: ConfigKey, text: string, origin: string): unknown {
  const { kind } = keyInfo(key)
  switch (kind) {
    case 'text':
      return text
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
    case 'number':
      if (/^\d{1,15}$/.test(text)) return Number(text)
      break
    case 'switch':
      if (/^(true|1|yes|on)$/i.test(text)) return true
      if (/^(false|0|no|off)$/i.test(text)) return false
      break
  }
  const wanted = kind === 'number' ? 'a whole number' : 'true or false'
  throw new EasyNetError('invalid_config', `${origin}: ${key} is ${wanted}, not "${text.slice(0, 80)}".`, {
    details: { key, origin },
  })
}
