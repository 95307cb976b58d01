import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { DAEMON_NODE_FLAGS } from '../../src/util/daemon-flags.ts'
import { type Ended, run } from './support/commands.ts'
import { removeHome, temporaryHome } from './support/daemon.ts'

/** A user without a service manager: the one of whoever runs the tests must not be told anything. */
function user() {
  const dir = temporaryHome()
  onTestFinished(() => removeHome(dir))
  const env = {
    HOME: dir,
    XDG_CONFIG_HOME: join(dir, 'config'),
    XDG_RUNTIME_DIR: join(dir, 'run'),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(dir, 'no-bus')}`,
  }
  const service = (...words: string[]): Promise<Ended> => run('easynet', ['service', ...words], { env })
  return { dir, unit: join(dir, 'config', 'systemd', 'user', 'easynet.service'), service }
}

test.each([
  ['linux', '[Service]'],
  ['darwin', '<key>ProgramArguments</key>'],
  ['win32', '<LogonTrigger>'],
])('--print shows the file for %s and changes nothing', async (platform, part) => {
  const { unit, service } = user()
  const { code, stdout, stderr } = await service('install', '--print', '--platform', platform)
  expect(code).toBe(0)
  expect(stdout).toContain(part)
  expect(stdout).toContain(join('bin', 'easynetd.mjs'))
  expect(stderr).toMatch(/^# .+/)
  expect(existsSync(unit)).toBe(false)
})

test('what launchd and Windows are given can be read as what it is', async () => {
  const { dir, service } = user()
  const plist = await service('install', '--print', '--platform', 'darwin')
  const task = await service('install', '--print', '--platform', 'win32')
  const read = async (script: string, text: string): Promise<unknown> => {
    const file = join(dir, 'read-me')
    writeFileSync(file, text)
    return JSON.parse((await run('python3', ['-c', script, file])).stdout)
  }
  const asPlist = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))'
  expect(await read(asPlist, plist.stdout)).toMatchObject({
    Label: 'io.easynet.easynetd',
    ProgramArguments: [process.execPath, ...DAEMON_NODE_FLAGS, expect.stringMatching(/easynetd\.mjs$/)],
    RunAtLoad: true,
  })
  const asXml =
    'import json, sys; from xml.etree import ElementTree as tree; ' +
    'print(json.dumps([node.tag.split("}")[1] for node in tree.parse(sys.argv[1]).getroot()]))'
  expect(await read(asXml, task.stdout)).toEqual([
    'RegistrationInfo',
    'Triggers',
    'Principals',
    'Settings',
    'Actions',
  ])
})

test('the system unit has a user of its own, and a home of a user is refused for it', async () => {
  const { service } = user()
  const { stdout } = await service('install', '--system', '--print', '--platform', 'linux')
  for (const line of [
    'DynamicUser=yes',
    'StateDirectory=easynet',
    'CapabilityBoundingSet=',
    'ProtectSystem=strict',
  ])
    expect(stdout).toContain(`\n${line}\n`)
  expect((await service('install', '--system', '--print', '--platform', 'linux', '--home', '/x')).code).toBe(
    2,
  )
})

test('a file of another platform is shown and not installed', async () => {
  const other = process.platform === 'darwin' ? 'linux' : 'darwin'
  expect((await user().service('install', '--platform', other)).code).toBe(2)
})

test.skipIf(process.platform !== 'linux')(
  'without systemd the unit is written, the error says what is left, and uninstall takes it back',
  async () => {
    const { unit, service } = user()
    expect(JSON.parse((await service('status', '--json')).stdout)).toMatchObject({
      schema: 'service/1',
      kind: 'systemd',
      installed: false,
      active: null,
    })
    const { code, stdout, stderr } = await service('install')
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(
      /^Error: systemd does not answer, so nothing was started: .+\nWhy: .+\nTry: systemctl --user/,
    )
    expect(readFileSync(unit, 'utf8')).toContain('ExecStart=')
    expect((await service('status')).stdout).toContain(unit)
    expect((await service('uninstall')).code).toBe(0)
    expect(existsSync(unit)).toBe(false)
    expect(JSON.parse((await service('uninstall', '--json')).stdout)).toMatchObject({ removed: false })
  },
)
