import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { parse, TomlError } from 'smol-toml'
import { EasyNetError } from '../errors/error.ts'
import { installedFile } from '../util/installation.ts'
import { type ConfigKey, configKeys, keyInfo, valueFromText } from './keys.ts'
import { getPath, isTree, type Tree, withPath } from './paths.ts'

/** The settings of one source, not validated yet. */
export interface Layer {
  values: Tree
  /** Where a value of this layer comes from, as users read it. */
  originOf(key: ConfigKey): string
  /** For errors about the whole: a file, or a kind of source. */
  title: string
}

/** A setting given on the command line. */
export interface FlagSetting {
  key: ConfigKey
  value: unknown
}

/** The name is that of the machine as far as a name may look like it. */
export function defaultLayer(): Layer {
  const name = hostname()
    .replace(/\.(local|lan|home|localdomain)$/i, '')
    .replaceAll(/[^\p{L}\p{N}_.-]/gu, '-')
  const usable = /^[\p{L}\p{N}]/u.test(name) ? name.slice(0, 63) : 'device'
  return {
    values: { name: usable, network: { bootstrap: shippedBootstrap() } },
    originOf: () => 'default',
    title: 'defaults',
  }
}

/** The settings in a TOML file; undefined when there is none. @throws `invalid_config` */
export function fileLayer(file: string): Layer | undefined {
  const text = readIfThere(file)
  if (text === undefined) return undefined
  return { values: parseToml(file, text), originOf: (key) => `file ${file}:${key}`, title: file }
}

/** As {@link fileLayer}, for `easynet.toml` of the working folder. @throws `invalid_config` */
export function projectLayer(file: string): Layer | undefined {
  const layer = fileLayer(file)
  const refused = configKeys.find(
    (key) => keyInfo(key).userOnly && getPath(layer?.values ?? {}, key) !== undefined,
  )
  if (refused === undefined) return layer
  throw new EasyNetError(
    'invalid_config',
    `${file} sets ${refused}, which a project may not decide for you.`,
    {
      hint: `Use ${keyInfo(refused).flag ?? keyInfo(refused).env}, or: easynet config set ${refused} VALUE`,
      details: { key: refused, file },
    },
  )
}

/** Settings in `EASYNET_*` variables; empty ones count as not set. @throws `invalid_config` */
export function envLayer(env: NodeJS.ProcessEnv): Layer {
  let values: Tree = {}
  for (const key of configKeys) {
    const { env: variable } = keyInfo(key)
    const text = env[variable]
    if (text !== undefined && text !== '') values = withPath(values, key, valueFromText(key, text, variable))
  }
  return { values, originOf: (key) => `env ${keyInfo(key).env}`, title: 'environment' }
}

export function flagLayer(flags: readonly FlagSetting[]): Layer {
  const values = flags.reduce<Tree>((tree, { key, value }) => withPath(tree, key, value), {})
  return { values, originOf: (key) => `flag ${keyInfo(key).flag ?? key}`, title: 'command line' }
}

/** @throws `invalid_config` with line and column */
export function parseToml(file: string, text: string): Tree {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const what = error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? ''
    throw new EasyNetError(
      'invalid_config',
      `${file}:${error.line}:${error.column} is not valid TOML: ${what}.`,
      {
        hint: 'Write key = value: text in quotes, lists in [ ], a section as [name].',
        details: { file, line: error.line, column: error.column },
        cause: error,
      },
    )
  }
}

/** The content of a file; undefined when it does not exist. */
export function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new EasyNetError('invalid_config', `${file} cannot be read: ${String(error)}`, {
      hint: `ls -l "${file}"`,
      cause: error,
    })
  }
}

/** Devices that the release itself knows. */
function shippedBootstrap(): unknown {
  const text = readIfThere(installedFile('config/bootstrap.json'))
  const content: unknown = JSON.parse(text ?? '{}')
  return (isTree(content) ? content['bootstrap'] : undefined) ?? []
}
