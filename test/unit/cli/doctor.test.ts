import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import type { PeerView, StatusView } from '../../../src/model/views.ts'
import type { DaemonState, DoctorContext } from '../../../src/cli/doctor/check.ts'
import { checkClock } from '../../../src/cli/doctor/clock.ts'
import { checkLock, checkVersions, isCompatible } from '../../../src/cli/doctor/daemon.ts'
import { checkDisk, checkRights } from '../../../src/cli/doctor/files.ts'
import { encodeQuery, isAnswer } from '../../../src/cli/doctor/mdns-packet.ts'
import { checkBootstrap, checkIpv6 } from '../../../src/cli/doctor/network.ts'
import { checkNode, checkOpenFiles } from '../../../src/cli/doctor/process.ts'
import { limitInProc } from '../../../src/util/open-files.ts'
import { tcpAddress } from '../../../src/cli/doctor/tcp.ts'
import { loadTexts } from '../../../src/cli/messages/translate.ts'
import { ownPackage } from '../../../src/util/installation.ts'
import { locateHome } from '../../../src/util/home.ts'

const { version } = ownPackage()
const { t } = await loadTexts({})
const status = { version } as StatusView
const file = { pid: 7, url: 'http://127.0.0.1:7677' }

function context(daemon: Partial<DaemonState> = {}, env: NodeJS.ProcessEnv = {}): DoctorContext {
  const root = mkdtempSync(join(tmpdir(), 'easynet-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const home = locateHome(root)
  const config = loadConfig({ userFile: home.configFile, projectDir: root, env })
  const { signal } = new AbortController()
  return { home, t, config, signal, daemon: { lockIsHeld: false, ...daemon } }
}

test.each<[string, Partial<DaemonState>, string]>([
  ['no daemon', {}, 'pass'],
  ['one that answers', { file, status, lockIsHeld: true }, 'pass'],
  ['one that crashed', { file }, 'warn'],
  [
    'one that hangs',
    { file, lockIsHeld: true, error: new EasyNetError('deadline_exceeded', 'late') },
    'fail',
  ],
  ['one without its lock', { file, status }, 'fail'],
])('the lock: %s', (_, daemon, expected) => {
  const finding = checkLock(context(daemon))
  expect(finding.status).toBe(expected)
  expect(finding.fix === undefined).toBe(expected === 'pass')
})

test('versions are compared with the daemon and with connected peers', () => {
  const peer = (own: string | null, connected = true): PeerView =>
    ({ name: 'lab', version: own, connected }) as PeerView
  const check = (daemonVersion: string, ...peers: PeerView[]): string =>
    checkVersions(context({ status: { version: daemonVersion } as StatusView, peers })).status
  expect(check(version, peer(version), peer(null), peer('99.0.0', false))).toBe('pass')
  expect(check(version, peer('99.0.0'))).toBe('warn')
  expect(check('99.0.0')).toBe('warn')
  expect(checkVersions(context()).status).toBe('skip')
})

test.each([
  ['0.1.0', '0.1.9', true],
  ['0.1.0', '0.2.0', false],
  ['1.2.0', '1.9.3', true],
  ['1.2.0', '2.0.0', false],
  ['1.2.0', 'nightly', false],
])('%s and %s fit: %s', (a, b, expected) => {
  expect([isCompatible(a, b), isCompatible(b, a)]).toEqual([expected, expected])
})

test('rights: open files and folders fail with the command that closes them', () => {
  const own = context()
  expect(checkRights(own).status).toBe('pass')
  mkdirSync(own.home.stateDir, { mode: 0o700 })
  writeFileSync(own.home.keyFile, '', { mode: 0o600 })
  expect(checkRights(own).status).toBe('pass')
  chmodSync(own.home.keyFile, 0o640)
  expect(checkRights(own)).toMatchObject({ status: 'fail', fix: `chmod go-rwx "${own.home.keyFile}"` })
  chmodSync(own.home.keyFile, 0o600)
  chmodSync(own.home.stateDir, 0o755)
  expect(checkRights(own)).toMatchObject({ status: 'fail', fix: `chmod go-rwx "${own.home.stateDir}"` })
})

test('the clock: right, and behind the files of the past', async () => {
  const own = context()
  expect(await checkClock(own)).toMatchObject({ status: 'pass' })
  mkdirSync(own.home.stateDir)
  writeFileSync(own.home.databaseFile, '')
  const future = new Date(Date.now() + 3_600_000)
  utimesSync(own.home.databaseFile, future, future)
  const finding = await checkClock(own)
  expect(finding.status).toBe('fail')
  expect(finding.message).toMatch(/was written 3[56]\d\d s in the future/)
})

test('a device that can find nobody is told so', async () => {
  expect(await checkBootstrap(context())).toMatchObject({ status: 'pass' })
  expect(await checkBootstrap(context({}, { EASYNET_MDNS: 'off' }))).toMatchObject({
    status: 'warn',
    fix: 'easynet config set network.mdns true',
  })
})

test('this machine has the right Node, room and a limit of open files', async () => {
  expect(checkNode(context()).status).toBe('pass')
  expect((await checkDisk(context())).message).toMatch(/\d+ [MG]iB/)
  expect(checkOpenFiles(context()).message).not.toBe('')
})

test.runIf(process.platform === 'linux')('a disk without room fails', async () => {
  const own = context()
  // A file system that says it has no room, and has none.
  const full = { ...own, home: { ...own.home, stateDir: '/proc/easynet/state' } }
  expect(await checkDisk(full)).toMatchObject({
    status: 'fail',
    message: expect.stringContaining('/proc') as string,
  })
})

test('IPv6: what is listened on decides, where this machine has an address that others can use', () => {
  const usable = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .some(({ family, internal, address }) => family === 'IPv6' && !internal && !/^fe[89ab]/i.test(address))
  const found = [{}, { EASYNET_LISTEN: '/ip6/::/tcp/4678' }].map((env) => checkIpv6(context({}, env)))
  expect(found.map((finding) => finding.status)).toEqual(['warn', usable ? 'pass' : 'warn'])
  expect(found[0]?.fix).toBeDefined()
})

test('limits are read as Linux writes them', () => {
  expect(limitInProc('Max open files            1024                 4096                 files')).toBe(1024)
  expect(limitInProc('Max open files            unlimited            unlimited            files')).toBe(
    Infinity,
  )
  expect(limitInProc('')).toBeUndefined()
})

test('TCP multiaddrs have a host and a port; others have none', () => {
  expect(tcpAddress('/dns4/example.org/tcp/4677/p2p/12D3KooW')).toEqual({ host: 'example.org', port: 4677 })
  expect(tcpAddress('/ip6/::1/tcp/1')).toEqual({ host: '::1', port: 1 })
  expect(tcpAddress('/ip4/127.0.0.1/udp/1/quic-v1')).toBeUndefined()
})

test('a query is one that multicast DNS defines, and is not taken for an answer', () => {
  const query = encodeQuery(['_easynet._udp.local'])
  expect(query.toString('hex')).toBe(
    '000000000001000000000000085f656173796e6574045f756470056c6f63616c00000c0001',
  )
  expect(isAnswer(query)).toBe(false)
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      (bytes) => typeof isAnswer(Buffer.from(bytes)) === 'boolean',
    ),
  )
})

test('English and Chinese have the same values to fill in', async () => {
  const [{ en }, { zh }] = await Promise.all([
    import('../../../src/cli/messages/en.ts'),
    import('../../../src/cli/messages/zh.ts'),
  ])
  const slots = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([slot]) => slot).sort()
  const different = Object.entries(en).filter(
    ([key, text]) => slots(text).join() !== slots(zh[key as keyof typeof en]).join(),
  )
  expect(different).toEqual([])
})
