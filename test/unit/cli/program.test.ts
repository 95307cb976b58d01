import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { easynet } from './support.ts'

const home = join(tmpdir(), 'easynet-that-is-not-there')
const daemonFile = join(home, 'run', 'daemon.json')

test('an unknown command names the nearest one', async () => {
  expect(await easynet(['statsu'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'Error: There is no command "statsu".\nWhy: The nearest one is "status".\nTry: easynet status\n',
  })
  const inGroup = await easynet(['peer', 'lss'])
  expect(inGroup).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Try: easynet peer ls') as string,
  })
})

test('an unknown option names the nearest one, and help for no command is an error', async () => {
  expect(await easynet(['call', 'f', '--timout', '3s'])).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'Error: There is no option --timout.\nWhy: The nearest one is "--timeout".\nTry: easynet call --help\n',
  })
  expect(await easynet(['help', 'peers'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Try: easynet help peer\n') as string,
  })
  expect(await easynet(['help', 'peer'])).toMatchObject({ code: 0, stderr: '' })
})

test.each([
  ['a missing argument', ['call'], 'The argument FN is missing.'],
  ['an unknown option', ['status', '--nope'], 'There is no option --nope.'],
  ['too many arguments', ['status', 'x'], 'There are too many arguments.'],
  ['a duration that is none', ['call', 'f', '--timeout', 'x'], '"x" is not a duration.'],
  ['credits that are none', ['call', 'f', '--max-cost', 'x'], '"x" is not a number of credits.'],
  ['a file that is not there', ['serve', '/nowhere.ts'], 'There is no file /nowhere.ts.'],
])('%s is a usage error in three lines', async (_, argv, message) => {
  const { code, stdout, stderr } = await easynet(argv)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr.split('\n').map((line) => line.split(' ')[0])).toEqual(['Error:', 'Why:', 'Try:', ''])
  expect(stderr).toContain(message)
})

test.each([
  ['status'],
  ['down', '--now', 'x'],
  ['call', 'f'],
  ['fn', 'ls'],
  ['fn', 'show', 'f'],
  ['peer', 'ls'],
  ['peer', 'block', 'x'],
  ['ping', 'x'],
  ['ps'],
  ['task', 'show', 'x'],
  ['logs'],
  ['statsu'],
])('with --json a failed "%s" prints one error document and nothing else', async (...argv) => {
  const { code, stdout, stderr } = await easynet([...argv, '--home', home, '--json'])
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 'error/1',
    error: { code: expect.any(String) as string },
  })
  expect([2, 3]).toContain(code)
  expect(stderr).toBe('')
})

test('without a daemon the error says which file was looked for and how to start one', async () => {
  const expected = {
    code: 3,
    stdout: '',
    stderr:
      `Error: No daemon was found: ${daemonFile} is not there.\n` +
      'Why: Every command talks to the daemon of this device, and none answers.\n' +
      `Try: easynet up --home ${home}\n`,
  }
  expect(await easynet(['status', '--home', home])).toEqual(expected)
  expect(await easynet(['--home', home, 'status'])).toEqual(expected)
  expect(await easynet([`--home=${home}`, 'status'])).toEqual(expected)
  expect(await easynet(['status'], { EASYNET_HOME: home })).toMatchObject({ code: 3 })
})

test('texts follow the language; codes and keys do not', async () => {
  const zh = { EASYNET_LANG: 'zh' }
  const { stderr } = await easynet(['status', '--home', home], zh)
  expect(stderr.split('\n').map((line) => line.slice(0, 3))).toEqual(['错误：', '原因：', '试试：', ''])
  const { stdout } = await easynet(['status', '--home', home, '--json'], zh)
  expect(JSON.parse(stdout)).toMatchObject({ error: { reason: 'daemon_unreachable' } })
  expect((await easynet(['--help'], { LC_ALL: 'zh_CN.UTF-8' })).stdout).toContain('用法：')
  expect((await easynet(['--help'], { EASYNET_LANG: 'en', LC_ALL: 'zh_CN.UTF-8' })).stdout).toContain(
    'Usage:',
  )
})

test('help goes to stdout, also for a bare easynet', async () => {
  for (const argv of [['--help'], ['help'], []]) {
    const { code, stdout, stderr } = await easynet(argv)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('Exit codes: 0 ok')
  }
  expect((await easynet(['help', 'call'])).stdout).toContain('--max-cost')
})

test('colours only for a terminal that wants them', async () => {
  const red = '\u{1b}[31m'
  expect((await easynet(['statsu'], {}, true)).stderr).toContain(red)
  expect((await easynet(['statsu'], { NO_COLOR: '1' }, true)).stderr).not.toContain(red)
  expect((await easynet(['statsu'])).stderr).not.toContain(red)
})

test('version and settings need no daemon', async () => {
  const { stdout } = await easynet(['version', '--json', '--home', home])
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'version/1', daemon: null })
  expect((await easynet(['config', 'path', '--home', home])).stdout).toBe(`${join(home, 'config.toml')}\n`)
  expect((await easynet(['config', 'get', 'network.mdns', '--home', home])).stdout).toBe('true\n')
  const env = { EASYNET_MDNS: 'off' }
  const shown = await easynet(['config', 'get', 'network.mdns', '--show-origin', '--home', home], env)
  expect(shown.stdout).toBe('env EASYNET_MDNS\tfalse\n')
  expect((await easynet(['config', 'get', 'network.mdn', '--home', home])).code).toBe(2)
})
