import { type Command, Option } from 'commander'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { EasyNetError } from '../../errors/error.ts'
import type { Cli } from '../cli.ts'
import { type Platform, PLATFORMS, thisProgram } from '../service/definition.ts'
import { installService, serviceState, uninstallService } from '../service/install.ts'
import { createManager, type Manager } from '../service/manager.ts'
import { runCommand } from '../service/run-command.ts'
import { SYSTEM_HOME } from '../service/systemd.ts'
import { printFields } from './status.ts'

interface Options {
  print?: true
  system?: true
  platform?: Platform
}

/** Variables that move the folders of a daemon, and that a service does not inherit. */
const FOLDER_VARIABLES = ['XDG_CONFIG_HOME', 'XDG_STATE_HOME']

export function define(program: Command, cli: Cli): void {
  const { t } = cli
  const group = program.command('service').description(t('command.service'))
  const verbs = { install, uninstall, status }
  for (const [verb, action] of Object.entries(verbs)) {
    group
      .command(verb)
      .description(t(`command.service.${verb as keyof typeof verbs}`))
      .option('--print', t('option.print'))
      .option('--system', t('option.system'))
      .addOption(
        new Option('--platform <name>', t('option.platform')).choices(PLATFORMS).default(ownPlatform()),
      )
      .action(async (options: Options) => {
        const manager = managerFor(cli, options)
        if (options.print === true) return print(cli, manager)
        requireThisMachine(options)
        await action(cli, manager)
      })
  }
}

function print(cli: Cli, { kind, file, text }: Manager): void {
  if (cli.options.json === true) return cli.out.json({ schema: 'service-file/1', kind, file, text })
  cli.out.write(text)
  cli.out.note(`# ${file}`)
}

async function install(cli: Cli, manager: Manager): Promise<void> {
  const { kind, file, note } = manager
  await installService(manager, runCommand)
  if (cli.options.json === true) return cli.out.json({ schema: 'service/1', kind, file, installed: true })
  if (cli.options.quiet === true) return cli.out.line(file)
  cli.out.note(cli.t('service.installed', { file }))
  if (note !== undefined) cli.out.note(cli.t(note))
}

async function uninstall(cli: Cli, manager: Manager): Promise<void> {
  const { kind, file } = manager
  const removed = await uninstallService(manager, runCommand)
  if (cli.options.json === true)
    return cli.out.json({ schema: 'service/1', kind, file, installed: false, removed })
  if (cli.options.quiet !== true) cli.out.note(cli.t(removed ? 'service.removed' : 'service.none', { file }))
}

async function status(cli: Cli, manager: Manager): Promise<void> {
  const { kind, file } = manager
  const { t } = cli
  const state = await serviceState(manager, runCommand)
  if (cli.options.json === true) return cli.out.json({ schema: 'service/1', kind, file, ...state })
  const active =
    state.active === null ? 'service.unknown' : state.active ? 'service.active' : 'service.inactive'
  if (cli.options.quiet === true) return cli.out.line(t(active))
  await printFields(cli, [
    [t('service.manager'), kind],
    [t('service.file'), state.installed ? file : t('service.none', { file })],
    [t('column.state'), t(active)],
    ['', state.installed && !state.upToDate ? t('service.outdated') : ''],
  ])
}

function managerFor(cli: Cli, options: Options): Manager {
  const { home, env } = cli
  const { platform = unknownPlatform(), system = false } = options
  const userDir = homedir()
  if (system) requireSystem(cli, options)
  const folders = FOLDER_VARIABLES.flatMap((name) => {
    const value = env[name]
    return home.root !== undefined || value === undefined || value === '' ? [] : [[name, value] as const]
  })
  return createManager({
    platform,
    system,
    program: thisProgram(),
    env: Object.fromEntries(folders),
    logFile: home.logFile,
    userDir,
    uid: process.getuid?.() ?? 0,
    configDir: home.root === undefined ? dirname(dirname(home.configFile)) : configDir(env, userDir),
    ...(home.root === undefined ? {} : { home: home.root }),
  })
}

function configDir(env: NodeJS.ProcessEnv, userDir: string): string {
  const given = env['XDG_CONFIG_HOME']
  return given === undefined || given === '' ? join(userDir, '.config') : given
}

/** The system service has folders of its own, and cannot look into those of users. */
function requireSystem(cli: Cli, { print }: Options): void {
  if (cli.options.home !== undefined) {
    throw new EasyNetError('invalid_request', `The system service keeps everything in ${SYSTEM_HOME}.`, {
      hint: 'easynet service install --system --print',
      details: { why: '--home and --system cannot be given together.' },
    })
  }
  const { daemon, node } = thisProgram()
  const hidden = [daemon, node].find((path) => /^\/(?:home|root|run\/user|tmp|var\/tmp)\//.test(path))
  if (hidden === undefined) return
  const message = cli.t('service.hidden', { path: hidden })
  if (print === true) return cli.out.note(message)
  throw new EasyNetError('invalid_request', message, { hint: 'sudo git clone CHECKOUT /opt/easynet' })
}

function ownPlatform(): Platform | undefined {
  return PLATFORMS.find((platform) => platform === process.platform)
}

function unknownPlatform(): never {
  throw new EasyNetError('not_implemented', `No service manager of ${process.platform} is known.`, {
    hint: 'easynet service install --print --platform linux',
  })
}

function requireThisMachine({ platform }: Options): void {
  if (platform === process.platform) return
  throw new EasyNetError(
    'invalid_request',
    `This machine does not run services of ${platform ?? 'no platform'}.`,
    {
      hint: `easynet service install --print --platform ${platform ?? 'linux'}`,
      details: { why: 'A file of another platform can be shown, and nothing else.' },
    },
  )
}
