import { createSocket } from 'node:dgram'
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../integration/support/eventually.ts'
import { CHECKOUT, type Ended, run } from './support/commands.ts'
import { removeHome, startDaemon, temporaryHome } from './support/daemon.ts'

type Check = { id: string; status: 'pass' | 'warn' | 'fail' | 'skip'; message: string; fix?: string }

function newHome(): string {
  const home = temporaryHome()
  onTestFinished(() => removeHome(home))
  return home
}

const easynet = (home: string, words: string[], env: Record<string, string> = {}): Promise<Ended> =>
  run('easynet', ['--home', home, ...words], { env: { EASYNET_MDNS: 'off', ...env } })

async function doctor(
  home: string,
  env?: Record<string, string>,
): Promise<{ code: number | null; checks: Record<string, Check> }> {
  const { code, stdout } = await easynet(home, ['doctor', '--json'], env)
  const { checks } = JSON.parse(stdout) as { checks: Check[] }
  // Whatever is wrong, there is something to do about it.
  expect(
    checks.filter(({ status, fix }) => (status === 'warn' || status === 'fail') !== (fix !== undefined)),
  ).toEqual([])
  return { code, checks: Object.fromEntries(checks.map((check) => [check.id, check])) }
}

async function listening(): Promise<{ port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return server.address() as { port: number }
}

test('a healthy daemon passes, and nothing is written', async () => {
  await using daemon = await startDaemon()
  const { code, checks } = await doctor(daemon.home)
  expect(code).toBe(0)
  for (const id of ['node', 'config', 'lock', 'api', 'peers', 'rights', 'clock', 'versions', 'disk'])
    expect(checks[id]).toMatchObject({ status: 'pass' })
  expect(checks['lock']?.message).toContain(String(daemon.pid))
})

test('without a daemon it looks at what one would need, and makes no folder', async () => {
  const home = join(newHome(), 'not-there-yet')
  const { checks } = await doctor(home)
  expect(checks['lock']).toMatchObject({ status: 'pass' })
  expect(checks['versions']).toMatchObject({ status: 'skip' })
  expect(existsSync(home)).toBe(false)
})

test('a daemon that hangs, and one that crashed', async () => {
  await using daemon = await startDaemon()
  daemon.signal('SIGSTOP')
  const hanging = await doctor(daemon.home)
  daemon.signal('SIGCONT')
  expect(hanging.code).toBe(1)
  expect(hanging.checks['lock']).toMatchObject({ status: 'fail' })
  expect(hanging.checks['lock']?.fix).toContain(`kill -9 ${daemon.pid}`)
  await eventually(async () => (await doctor(daemon.home)).code === 0)
  await daemon.kill()
  const { checks } = await doctor(daemon.home)
  expect(checks['lock']).toMatchObject({ status: 'warn', fix: `easynet --home ${daemon.home} up` })
})

test('a key that others can read fails, and the fix that is printed mends it', async () => {
  await using daemon = await startDaemon()
  const key = join(daemon.home, 'state', 'identity.key')
  chmodSync(key, 0o644)
  const before = await doctor(daemon.home)
  expect([before.code, before.checks['rights']?.status]).toEqual([1, 'fail'])
  await run('sh', ['-c', before.checks['rights']?.fix ?? ''])
  expect(statSync(key).mode & 0o777).toBe(0o600)
  expect((await doctor(daemon.home)).checks['rights']).toMatchObject({ status: 'pass' })
})

test('ports in use, and bootstrap addresses where nobody answers', async () => {
  const home = newHome()
  const { port } = await listening()
  const taken = await doctor(home, {
    EASYNET_API: `127.0.0.1:${port}`,
    EASYNET_LISTEN: `/ip4/127.0.0.1/tcp/${port}`,
    EASYNET_BOOTSTRAP: '/ip4/127.0.0.1/tcp/1',
  })
  expect(taken.code).toBe(1)
  for (const id of ['api', 'peers', 'bootstrap']) expect(taken.checks[id]).toMatchObject({ status: 'fail' })
  expect(taken.checks['api']?.message).toContain('env EASYNET_API')
  const half = await doctor(home, { EASYNET_BOOTSTRAP: `/ip4/127.0.0.1/tcp/1,/ip4/127.0.0.1/tcp/${port}` })
  expect(half.checks['bootstrap']).toMatchObject({ status: 'warn' })
})

test('settings that are wrong fail, and what needs them is skipped', async () => {
  const { code, checks } = await doctor(newHome(), { EASYNET_API: '0.0.0.0:1' })
  expect(code).toBe(1)
  expect(checks['config']).toMatchObject({ status: 'fail' })
  expect(checks['api']).toMatchObject({ status: 'skip' })
})

test('multicast is tried for real: whatever this machine allows, there is an answer', async () => {
  const { checks } = await doctor(newHome(), { EASYNET_MDNS: 'on' })
  expect(checks['mdns']?.status).toMatch(/^(pass|fail)$/)
})

test('where the port of multicast DNS is taken, and where there is no network, nobody can be found', async () => {
  const taken = createSocket('udp4').bind(5353)
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const alone = await doctor(newHome(), { EASYNET_MDNS: 'on' })
  expect(alone.checks['mdns']).toMatchObject({ status: 'fail' })
  // Whoever has an address to start with can do without.
  const { port } = await listening()
  const bootstrap = `/ip4/127.0.0.1/tcp/${port}`
  const { checks } = await doctor(newHome(), { EASYNET_MDNS: 'on', EASYNET_BOOTSTRAP: bootstrap })
  expect(checks).toMatchObject({ mdns: { status: 'warn' }, bootstrap: { status: 'pass' } })
})

test('too few open files, and a Node older than what is needed', async () => {
  const home = newHome()
  const limited = await run('sh', ['-c', `ulimit -n 300; exec easynet --home ${home} doctor --json`])
  const files = (JSON.parse(limited.stdout) as { checks: Check[] }).checks.find(({ id }) => id === 'files')
  expect(files).toMatchObject({ status: 'fail', message: expect.stringContaining('300') as string })
  // An installation of a version to come.
  const root = newHome()
  for (const name of readdirSync(CHECKOUT)) symlinkSync(join(CHECKOUT, name), join(root, name))
  for (const name of ['package.json', 'src']) rmSync(join(root, name))
  const manifest = readFileSync(join(CHECKOUT, 'package.json'), 'utf8').replace('>=24', '>=99')
  writeFileSync(join(root, 'package.json'), manifest)
  cpSync(join(CHECKOUT, 'src'), join(root, 'src'), { recursive: true })
  const main = join(root, 'src/cli/main.ts')
  const { stdout } = await run(process.execPath, [main, '--home', home, 'doctor', '--json'])
  const node = (JSON.parse(stdout) as { checks: Check[] }).checks.find(({ id }) => id === 'node')
  expect(node).toMatchObject({ status: 'fail', message: expect.stringContaining('>=99') as string })
})

test('people get a table in their language, and the fix under each problem', async () => {
  const home = newHome()
  const { stdout, stderr, code } = await easynet(home, ['doctor'], {
    EASYNET_LANG: 'zh',
    EASYNET_API: '0.0.0.0:1',
  })
  expect(code).toBe(1)
  expect(stdout).toMatch(/^失败\t设置\t.+\n\t\t试试： .+$/m)
  expect(stderr).toContain('失败 1')
  expect((await easynet(home, ['doctor', '-q'], { EASYNET_API: '0.0.0.0:1' })).stdout).toBe('config\n')
})

test('key show gives the peer id of the daemon, also when it has stopped, and never the secret', async () => {
  await using daemon = await startDaemon()
  const pem = readFileSync(join(daemon.home, 'state', 'identity.key'), 'utf8')
  const secret = pem.split('\n')[1] ?? ''
  await daemon.stop()
  const { stdout } = await easynet(daemon.home, ['key', 'show', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'key/1', type: 'ed25519', peerId: daemon.peerId })
  const text = await easynet(daemon.home, ['key', 'show'])
  expect(text.stdout).toContain(daemon.peerId)
  expect(stdout + text.stdout + text.stderr).not.toContain(secret.slice(-24))
  expect((await easynet(newHome(), ['key', 'show'])).code).toBe(3)
})

test('a bug report says what it contains, and has no secret, name or address of a peer', async () => {
  await using other = await startDaemon({ args: ['--name', 'Ada-Laptop'] })
  const info = JSON.parse(readFileSync(join(other.home, 'run', 'daemon.json'), 'utf8')) as {
    addresses: string[]
  }
  const [bootstrap = ''] = info.addresses
  await using daemon = await startDaemon({ args: ['--name', 'Bobs-Desk', '--bootstrap', bootstrap] })
  await eventually(async () => {
    const { peers } = (await (await daemon.fetch('/v1/peers')).json()) as { peers: { name: string }[] }
    return peers.some(({ name }) => name === 'Ada-Laptop')
  })
  const file = join(daemon.home, 'report.json')
  const env = { EASYNET_BOOTSTRAP: '/ip4/192.0.2.7/tcp/4677' }
  const text = await easynet(daemon.home, ['bugreport'], env)
  const json = await easynet(daemon.home, ['bugreport', '--json'], env)
  const written = await easynet(daemon.home, ['bugreport', '-o', file], env)
  expect([text.code, json.code, written.code]).toEqual([0, 0, 0])
  const report = JSON.parse(json.stdout) as {
    contains: string[]
    peers: object
    doctor: Check[]
    status: object
  }
  expect(report).toMatchObject({ schema: 'bugreport/1', peers: { known: 1, connected: 1 } })
  expect(report.contains.join(' ')).toMatch(/It contains: .+ It does not contain: /)
  expect(report.doctor.map(({ id }) => id)).toContain('mdns')
  expect(text.stdout).toContain('It does not contain:')
  const everything = text.stdout + json.stdout + readFileSync(file, 'utf8')
  for (const hidden of [daemon.token, other.peerId, daemon.peerId, 'Ada-Laptop', 'Bobs-Desk', '192.0.2.7'])
    expect(everything).not.toContain(hidden)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect((await easynet(daemon.home, ['bugreport', '-o', file], env)).code).toBe(2)
})

test('status waits for a daemon that is starting, and not longer than it is told', async () => {
  const home = newHome()
  expect((await easynet(home, ['status', '--check', '--wait', '300ms'])).code).toBe(3)
  const waiting = easynet(home, ['status', '--check', '--wait', '20s'])
  await using _daemon = await startDaemon({ home })
  expect(await waiting).toMatchObject({ code: 0, stdout: '', stderr: '' })
})
