import { loadConfig, type LoadedConfig } from '../../config/load.ts'
import { EasyNetError } from '../../errors/error.ts'
import { abortReason } from '../../util/signals.ts'
import type { Cli } from '../cli.ts'
import type { MessageKey } from '../messages/en.ts'
import type { Check, DoctorContext, Finding } from './check.ts'
import { checkClock } from './clock.ts'
import { findDaemonState } from './daemon-state.ts'
import { checkLock, checkVersions } from './daemon.ts'
import { checkDisk, checkRights } from './files.ts'
import { checkMdns } from './mdns.ts'
import { checkBootstrap, checkIpv6 } from './network.ts'
import { checkApiPort, checkPeerPorts } from './ports.ts'
import { checkNode, checkOpenFiles } from './process.ts'

const CHECKS = {
  node: checkNode,
  config: checkConfig,
  lock: checkLock,
  api: checkApiPort,
  peers: checkPeerPorts,
  rights: checkRights,
  clock: checkClock,
  mdns: checkMdns,
  ipv6: checkIpv6,
  bootstrap: checkBootstrap,
  versions: checkVersions,
  disk: checkDisk,
  files: checkOpenFiles,
} as const satisfies Record<string, Check>

export type CheckId = keyof typeof CHECKS

export interface CheckResult extends Finding {
  id: CheckId
  /** What people call it. */
  title: string
}

/** Runs every check, with or without a daemon. A check that fails by itself is a failed check. */
export async function runChecks(cli: Cli): Promise<CheckResult[]> {
  const { home, env, t, signal } = cli
  const config = readConfig(home.configFile, env)
  const context: DoctorContext = { home, t, config, signal, daemon: await findDaemonState(home, signal) }
  return Promise.all(
    Object.entries<Check>(CHECKS).map(async ([id, check]) => ({
      id: id as CheckId,
      title: t(`doctor.${id}` as MessageKey),
      ...withHome(await runCheck(check, context), cli.options.home),
    })),
  )
}

/** A command to paste has to reach the same daemon. */
function withHome(finding: Finding, home: string | undefined): Finding {
  if (home === undefined || finding.fix === undefined) return finding
  return {
    ...finding,
    fix: finding.fix.replaceAll(/\beasynet (?=[a-z]+\b)/g, () => `easynet --home ${home} `),
  }
}

async function runCheck(check: Check, context: DoctorContext): Promise<Finding> {
  try {
    return await check(context)
  } catch (error) {
    if (context.signal.aborted) throw abortReason(context.signal)
    const { message } = EasyNetError.from(error)
    return { status: 'fail', message: context.t('doctor.broken', { why: message }), fix: 'easynet bugreport' }
  }
}

function readConfig(userFile: string, env: NodeJS.ProcessEnv): LoadedConfig | EasyNetError {
  try {
    return loadConfig({ userFile, env })
  } catch (error) {
    return EasyNetError.from(error)
  }
}

function checkConfig({ config, home, t }: DoctorContext): Finding {
  if (!(config instanceof EasyNetError)) {
    const count = Object.values(config.settings).filter(({ origin }) => origin !== 'default').length
    return { status: 'pass', message: t('doctor.config.good', { count }) }
  }
  return {
    status: 'fail',
    message: config.message,
    fix: config.hint ?? t('doctor.config.fix', { file: home.configFile }),
  }
}
