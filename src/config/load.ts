import { join } from 'node:path'
import type { z } from 'zod'
import { EasyNetError } from '../errors/error.ts'
import { type ConfigKey, configKeys, unknownKey } from './keys.ts'
import {
  defaultLayer,
  envLayer,
  fileLayer,
  flagLayer,
  type FlagSetting,
  type Layer,
  projectLayer,
} from './layers.ts'
import { getPath, type Tree, withPath } from './paths.ts'
import { type Config, configSchema } from './schema.ts'

/** A value and where it comes from: `flag --listen`, `env EASYNET_LISTEN`, `file PATH:KEY`, `default`. */
export interface Setting {
  value: unknown
  origin: string
}

export interface LoadedConfig {
  config: Config
  settings: Record<ConfigKey, Setting>
}

export interface LoadConfigInit {
  /** The user's file, `home.configFile`. */
  userFile: string
  /** Folder that may hold the project's `easynet.toml`. @default the working folder */
  projectDir?: string
  /** @default process.env */
  env?: NodeJS.ProcessEnv
  flags?: readonly FlagSetting[]
}

/**
 * The settings that hold: flag > `EASYNET_*` variable > project `easynet.toml` > user file > default.
 * Every source is validated, also where another one wins.
 *
 * @throws {@link EasyNetError} `invalid_config`, `unsafe_bind`
 */
export function loadConfig(init: LoadConfigInit): LoadedConfig {
  const layers = [
    defaultLayer(),
    fileLayer(init.userFile),
    projectLayer(join(init.projectDir ?? process.cwd(), 'easynet.toml')),
    envLayer(init.env ?? process.env),
    flagLayer(init.flags ?? []),
  ].filter((layer) => layer !== undefined)

  let merged: Tree = {}
  const origins = new Map<ConfigKey, string>()
  for (const layer of layers) {
    validateLayer(layer)
    for (const key of configKeys) {
      const value = getPath(layer.values, key)
      if (value === undefined) continue
      merged = withPath(merged, key, value)
      origins.set(key, layer.originOf(key))
    }
  }
  const config = configSchema.parse(merged) as Config
  const settings = configKeys.map((key) => [
    key,
    { value: getPath(config, key), origin: origins.get(key) ?? 'default' },
  ])
  return { config, settings: Object.fromEntries(settings) as LoadedConfig['settings'] }
}

/** @throws `invalid_config`, `unsafe_bind` */
export function validateLayer(layer: Layer): void {
  const { values, title } = layer
  const issue = configSchema.safeParse(values).error?.issues[0]
  if (issue === undefined) return
  if (issue.code === 'unrecognized_keys')
    throw unknownKey(dotted([...issue.path, issue.keys[0] ?? '']), title)
  const key = configKeys.find((known) => dotted(issue.path).startsWith(known))
  const where = key === undefined ? `${title}: ${dotted(issue.path)}` : layer.originOf(key)
  const value = getPath(values, dotted(issue.path))
  throw new EasyNetError(reasonOf(issue), `${where} is not valid: ${issue.message}.`, {
    details: { origin: where, ...(value === undefined ? {} : { value }) },
  })
}

function reasonOf(issue: z.core.$ZodIssue): 'unsafe_bind' | 'invalid_config' {
  const params = issue.code === 'custom' ? issue.params : undefined
  return params?.['reason'] === 'unsafe_bind' ? 'unsafe_bind' : 'invalid_config'
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join('.')
}
