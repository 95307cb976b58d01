import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Platform, thisProgram } from '../../../src/cli/service/definition.ts'
import { installService, serviceState, uninstallService } from '../../../src/cli/service/install.ts'
import { type Command, createManager, type Manager } from '../../../src/cli/service/manager.ts'
import { systemUnit, userUnit } from '../../../src/cli/service/systemd.ts'

const program = { node: '/opt/node', daemon: '/opt/my easynet/main.ts', cli: '/opt/cli.ts' }
const init = { program, env: {}, logFile: '/var/log/easynetd.log' }
const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'easynet-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

function managerIn(userDir: string, platform: Platform, system = false): Manager {
  return createManager({ ...init, platform, system, userDir, uid: 501, configDir: join(userDir, '.config') })
}

/** A service manager that obeys, and what it was told. */
function obedient(answers = true) {
  const told: string[] = []
  const run = async (command: Command) => {
    told.push(command.join(' '))
    return { ok: answers, why: answers ? '' : 'Failed to connect to bus' }
  }
  return { told, run }
}

test('paths and variables are quoted as units need it', () => {
  const unit = userUnit({ ...init, home: '/data/100% "mine"', env: { XDG_STATE_HOME: '/s' } })
  expect(unit).toContain(
    'ExecStart=/opt/node --max-semi-space-size=8 --heap-growing-percent=200 "/opt/my easynet/main.ts"\n',
  )
  expect(unit).toContain('Environment="EASYNET_HOME=/data/100%% \\"mine\\""\n')
  expect(unit).toContain('Environment=XDG_STATE_HOME=/s\n')
})

test.skipIf(!hasAnalyze)('systemd accepts both units, and the system unit is hardly exposed', () => {
  const dir = folder()
  const file = join(dir, 'easynet.service')
  const real = { ...init, program: thisProgram() }
  const verify = (scope: string, text: string): void => {
    writeFileSync(file, text)
    const env = { ...process.env, XDG_RUNTIME_DIR: dir }
    const { status, stderr } = spawnSync('systemd-analyze', [scope, 'verify', file], {
      env,
      encoding: 'utf8',
    })
    expect({ status, complaints: stderr.split('\n').filter((line) => line.includes('easynet')) }).toEqual({
      status: 0,
      complaints: [],
    })
  }
  verify('--user', userUnit(real))
  verify('--system', systemUnit(real))
  const said = execFileSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', file], {
    encoding: 'utf8',
  })
  expect(Number(/exposure level for easynet.service: ([\d.]+)/.exec(said)?.[1])).toBeLessThanOrEqual(2)
})

test.each<[Platform, string, string[]]>([
  ['linux', '.config/systemd/user/easynet.service', ['systemctl --user enable --now easynet.service']],
  ['darwin', 'Library/LaunchAgents/io.easynet.easynetd.plist', ['launchctl bootstrap gui/501 ']],
])('on %s a service is installed, seen and removed', async (platform, path, commands) => {
  const dir = folder()
  const manager = managerIn(dir, platform)
  const { told, run } = obedient()
  expect(await serviceState(manager, run)).toMatchObject({ installed: false })
  await installService(manager, run)
  for (const command of commands) expect(told.join('\n')).toContain(command)
  expect(readFileSync(join(dir, path), 'utf8')).toBe(manager.text)
  expect(await serviceState(manager, run)).toEqual({ installed: true, upToDate: true, active: true })
  writeFileSync(manager.file, 'of another version')
  expect(await serviceState(manager, run)).toMatchObject({ installed: true, upToDate: false })
  expect(await uninstallService(manager, run)).toBe(true)
  expect(existsSync(manager.file)).toBe(false)
  expect(await uninstallService(manager, run)).toBe(false)
})

test('without a service manager the file is there and the error says what is left to do', async () => {
  const manager = managerIn(folder(), 'linux')
  const { run } = obedient(false)
  await expect(installService(manager, run)).rejects.toMatchObject({
    message: 'systemd does not answer, so nothing was started: Failed to connect to bus',
    hint: 'systemctl --user daemon-reload && systemctl --user enable --now easynet.service',
  })
  expect(existsSync(manager.file)).toBe(true)
  expect((await serviceState(manager, run)).active).toBeNull()
  expect(await uninstallService(manager, run)).toBe(true)
})

test('a place that cannot be written is named', async () => {
  const dir = folder()
  writeFileSync(join(dir, '.config'), 'a file where a folder should be')
  await expect(installService(managerIn(dir, 'linux'), obedient().run)).rejects.toMatchObject({
    reason: 'storage_failed',
  })
})

test('what launchd and Windows get is XML, whatever the paths are', () => {
  const odd = { ...init, program: { ...program, daemon: '/a & b/<main>.ts' }, home: 'C:\\my home\\' }
  const common = { ...odd, system: false, userDir: '/u', uid: 1, configDir: '/c' }
  const plist = createManager({ ...common, platform: 'darwin' }).text
  expect(plist).toContain('<string>/a &amp; b/&lt;main&gt;.ts</string>')
  expect(plist).toContain('<key>EASYNET_HOME</key>')
  const task = createManager({ ...common, platform: 'win32' })
  expect(task.text).toContain('&quot;C:\\my home\\\\&quot;</Arguments>')
  expect(() => createManager({ ...common, platform: 'win32', system: true })).toThrow('systemd only')
})

test('the task of Windows is written in UTF-16 with its mark', async () => {
  const dir = folder()
  mkdirSync(join(dir, 'state'))
  const logFile = join(dir, 'state', 'easynetd.log')
  const manager = createManager({
    ...init,
    logFile,
    platform: 'win32',
    system: false,
    userDir: dir,
    uid: 0,
    configDir: dir,
  })
  const { run } = obedient()
  await installService(manager, run)
  expect(readFileSync(manager.file).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xfe]))
  expect(await serviceState(manager, run)).toMatchObject({ upToDate: true })
})
