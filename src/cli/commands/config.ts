import type { Command } from 'commander'
import { setConfigValue } from '../../config/edit.ts'
import { configKeys, requireKey } from '../../config/keys.ts'
import { loadConfig, type Setting } from '../../config/load.ts'
import type { Cli } from '../cli.ts'

export function define(program: Command, cli: Cli): void {
  const { t, out } = cli
  const json = cli.options.json === true
  const file = cli.home.configFile
  const load = () => loadConfig({ userFile: file, env: cli.env })
  const group = program.command('config').description(t('command.config'))

  group
    .command('get')
    .description(t('command.config.get'))
    .argument('<key>', t('argument.key'))
    .option('--show-origin', t('option.showOrigin'))
    .action(async (name: string, options: { showOrigin?: true }) => {
      const key = requireKey(name)
      const { value, origin } = load().settings[key]
      if (json) return out.json({ schema: 'setting/1', key, value: value ?? null, origin })
      if (options.showOrigin === true) await out.table([origin, asText(value)], [])
      else out.line(asText(value))
    })

  group
    .command('ls')
    .description(t('command.config.ls'))
    .option('--show-origin', t('option.showOrigin'))
    .action(async (options: { showOrigin?: true }) => {
      const settings = Object.entries<Setting>(load().settings)
      if (json) return out.json({ schema: 'settings/1', settings: Object.fromEntries(settings) })
      if (cli.options.quiet === true) return configKeys.forEach((key) => out.line(key))
      const origin = options.showOrigin === true
      await out.table(
        [t('column.key'), t('column.value'), ...(origin ? [t('column.origin')] : [])],
        settings.map(([key, setting]) => [key, asText(setting.value), ...(origin ? [setting.origin] : [])]),
      )
    })

  group
    .command('set')
    .description(t('command.config.set'))
    .argument('<key>', t('argument.key'))
    .argument('<value>', t('argument.value'))
    .action((name: string, text: string) => {
      const key = requireKey(name)
      setConfigValue(file, key, text)
      const { value, origin } = load().settings[key]
      if (json) return out.json({ schema: 'setting/1', key, value: value ?? null, origin, file })
      if (cli.options.quiet === true) return
      out.note(t('config.written', { key, file }))
      // Otherwise people wonder why nothing changes.
      out.note(
        origin.startsWith(`file ${file}`) ? t('config.restart') : t('config.overridden', { key, origin }),
      )
    })

  group
    .command('path')
    .description(t('command.config.path'))
    .action(() => (json ? out.json({ schema: 'path/1', path: file }) : out.line(file)))
}

function asText(value: unknown): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
