import { existsSync, readFileSync, statSync, writeFileSync, chmodSync, mkdirSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  type Daemon,
  type DaemonOptions,
  removeHome,
  runDaemon,
  startDaemon,
  temporaryHome,
} from './support/daemon.ts'

async function start(options: DaemonOptions = {}): Promise<Daemon> {
  const daemon = await startDaemon({ stub: true, ...options })
  onTestFinished(() => daemon[Symbol.asyncDispose]())
  return daemon
}
async function run(options: DaemonOptions): ReturnType<typeof runDaemon> {
  const exit = await runDaemon({ stub: true, ...options })
  onTestFinished(() => removeHome(exit.home))
  return exit
}
function newHome(): string {
  const home = temporaryHome()
  onTestFinished(() => removeHome(home))
  return home
}
const readJson = (...path: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>
const modeOf = (...path: string[]): string => (statSync(join(...path)).mode & 0o777).toString(8)
const logLines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
async function until(check: () => boolean): Promise<void> {
  await expect.poll(check, { timeout: 10_000, interval: 20 }).toBe(true)
}

test('prints one line when it serves, JSON lines on stderr, and publishes where it is', async () => {
  const daemon = await start({ args: ['--name', 'desk'] })
  expect(daemon.stdout()).toBe(`${JSON.stringify({ ready: true, url: daemon.url, peerId: daemon.peerId })}\n`)
  await until(() => daemon.stderr().endsWith('\n'))
  expect(logLines(daemon.stderr())).toContainEqual(expect.objectContaining({ msg: 'serving', name: 'desk' }))
  expect(daemon.stderr()).not.toContain(daemon.token)
  expect(readJson(daemon.home, 'run/daemon.json')).toEqual({
    url: daemon.url,
    socket: join(daemon.home, 'run/api.sock'),
    pid: daemon.pid,
    version: readJson(import.meta.dirname, '../../package.json')['version'],
    peerId: daemon.peerId,
    addresses: expect.any(Array),
  })
  const status = (await (await daemon.fetch('/v1/status')).json()) as object
  expect(status).toMatchObject({ schema: 'status/1', name: 'desk' })
})

test('keeps everything for this user only', async () => {
  const daemon = await start()
  const modes = [
    'state',
    'run',
    'state/easynet.db',
    'state/journal.db',
    'state/identity.key',
    'state/easynet.lock.db',
    'run/daemon.json',
    'run/token',
    'run/api.sock',
  ].map((path) => [path, modeOf(daemon.home, path)])
  expect(modes.filter(([, mode]) => mode !== '600')).toEqual([
    ['state', '700'],
    ['run', '700'],
  ])
  expect(daemon.token).toMatch(/^[0-9a-f]{64}$/)
})

test('the Unix socket serves the same API', async () => {
  const daemon = await start()
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { host: 'localhost', authorization: `Bearer ${daemon.token}` }
    request({ socketPath: join(daemon.home, 'run/api.sock'), path: '/v1/status', headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
  expect(status).toBe(200)
})

test('a second daemon of the same home is refused with the pid and url of the first', async () => {
  const daemon = await start()
  const second = await run({ home: daemon.home })
  expect(second).toMatchObject({ code: 1, stdout: '' })
  expect(second.stderr.trimEnd().split('\n')).toHaveLength(3)
  expect(second.stderr).toContain(`It is pid ${daemon.pid} at ${daemon.url}`)
  const asJson = await run({ home: daemon.home, args: ['--json'] })
  expect(JSON.parse(asJson.stderr)).toMatchObject({
    schema: 'error/1',
    error: { reason: 'already_running', details: { pid: daemon.pid, url: daemon.url } },
  })
  expect((await daemon.fetch('/v1/status')).status).toBe(200)
})

test('after a kill -9 the next one starts at once, with a new token and the same key', async () => {
  const home = newHome()
  const first = await start({ home })
  const key = readFileSync(join(home, 'state/identity.key'), 'utf8')
  await first.kill()
  expect(existsSync(join(home, 'run/daemon.json'))).toBe(true)
  const second = await start({ home })
  expect(second.token).not.toBe(first.token)
  expect(readJson(home, 'run/daemon.json')).toMatchObject({ pid: second.pid, url: second.url })
  expect(readFileSync(join(home, 'state/identity.key'), 'utf8')).toBe(key)
})

test('what a crashed daemon left is gone even when the next start fails', async () => {
  const home = newHome()
  await (await start({ home })).kill()
  chmodSync(join(home, 'state/identity.key'), 0o644)
  const exit = await run({ home })
  expect(exit.code).toBe(78)
  expect(exit.stderr).toContain(`chmod 600 "${join(home, 'state/identity.key')}"`)
  expect(existsSync(join(home, 'run/daemon.json'))).toBe(false)
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with 0 and leaves nothing in run/', async (signal) => {
  const daemon = await start()
  daemon.signal(signal)
  expect(await daemon.exited).toMatchObject({ code: 0 })
  for (const file of ['daemon.json', 'token', 'api.sock'])
    expect(existsSync(join(daemon.home, 'run', file))).toBe(false)
})

test('a program can stop it', async () => {
  const daemon = await start()
  expect((await daemon.fetch('/v1/shutdown', { method: 'POST' })).status).toBe(202)
  expect(await daemon.exited).toMatchObject({ code: 0 })
})

test('running calls end first, and the API answers meanwhile', async () => {
  const daemon = await start({ env: { STUB_DRAIN_MS: '600' } })
  const startedAt = performance.now()
  daemon.signal('SIGTERM')
  await until(() => daemon.stderr().includes('"stopping"'))
  expect((await daemon.fetch('/v1/status')).status).toBe(200)
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(performance.now() - startedAt).toBeGreaterThan(550)
})

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('a second %s ends it at once with %i', async (signal, code) => {
  const daemon = await start({ env: { STUB_DRAIN_MS: '30000' } })
  daemon.signal('SIGTERM')
  await until(() => daemon.stderr().includes('"stopping"'))
  daemon.signal(signal)
  expect(await daemon.exited).toMatchObject({ code })
  expect(existsSync(join(daemon.home, 'run/daemon.json'))).toBe(false)
})

test.each(['crash-rejection', 'crash-exception'])(
  'a bug ends it with 70 and a fatal line: %s',
  async (how) => {
    const daemon = await start()
    await daemon.fetch(`/v1/peers/${how}/ping`, { method: 'POST' }).catch(() => undefined)
    const exit = await daemon.exited
    expect(exit.code).toBe(70)
    expect(logLines(exit.stderr).at(-1)).toMatchObject({ level: 'fatal', err: { message: /^nobody/ } })
    expect(existsSync(join(daemon.home, 'run/daemon.json'))).toBe(false)
  },
)

test('SIGHUP applies a new log level, and keeps the old one when the file is wrong', async () => {
  const home = newHome()
  const daemon = await start({ home })
  const file = join(home, 'config.toml')
  writeFileSync(file, '[log]\nlevel = "loud"')
  daemon.signal('SIGHUP')
  await until(() => daemon.stderr().includes('nothing was changed'))
  writeFileSync(file, '[log]\nlevel = "debug"\n[calls]\nmaxRunning = 3')
  daemon.signal('SIGHUP')
  await until(() => daemon.stderr().includes('configuration read again'))
  expect(logLines(daemon.stderr()).at(-1)).toMatchObject({
    logLevel: 'debug',
    needRestart: ['calls.maxRunning'],
  })
})

test('goes on when nobody reads its output any more', async () => {
  const home = newHome()
  mkdirSync(join(home, 'state'), { recursive: true })
  const daemon = await start({ home, args: ['--log-level', 'debug'] })
  daemon.closeOutput()
  writeFileSync(join(home, 'config.toml'), 'nonsense')
  for (let n = 0; n < 3; n += 1) daemon.signal('SIGHUP')
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect((await daemon.fetch('/v1/status')).status).toBe(200)
})

const BAD: [what: string, options: DaemonOptions & { toml?: string }, code: number, text: RegExp][] = [
  ['an unknown flag', { args: ['--bogus'] }, 2, /Unknown option '--bogus'/],
  ['a bad flag value', { args: ['--log-level', 'loud'] }, 78, /flag --log-level is not valid/],
  [
    'a bad variable',
    { env: { EASYNET_MDNS: 'maybe' }, onlyArgs: true },
    78,
    /EASYNET_MDNS: network.mdns is true or false/,
  ],
  [
    'an unknown key',
    { toml: '[network]\nmdsn = true' },
    78,
    /config.toml names .* network.mdsn[^]*Did you mean network.mdns\?/,
  ],
  [
    'an API for everybody',
    { args: ['--api', '0.0.0.0:0'] },
    78,
    /flag --api is not valid: the control API listens on 127/,
  ],
]
test.each(BAD)('%s stops the start', async (_, { toml, ...options }, code, text) => {
  const home = newHome()
  if (toml !== undefined) writeFileSync(join(home, 'config.toml'), toml)
  const exit = await run({ home, ...options })
  expect(exit.stderr).toMatch(text)
  expect(exit).toMatchObject({ code, stdout: '' })
  expect(existsSync(join(home, 'state'))).toBe(false)
})

test('a home that cannot be made is an error that says so', async () => {
  const home = newHome()
  writeFileSync(join(home, 'state'), '')
  const exit = await run({ home })
  expect(exit).toMatchObject({ code: 1, stderr: expect.stringMatching(/state cannot be made[^]*--home DIR/) })
})

test('a damaged database is an error that says what to do', async () => {
  const home = newHome()
  mkdirSync(join(home, 'state'))
  writeFileSync(join(home, 'state/easynet.db'), 'nonsense '.repeat(1_000))
  const exit = await run({ home })
  expect(exit.code).toBe(1)
  expect(exit.stderr).toMatch(/easynet.db is damaged[^]*storage_failed[^]*try: .*mv "/)
})

test('a port that the user gave has to be free', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const api = await run({ args: ['--api', `127.0.0.1:${port}`] })
  expect(api).toMatchObject({ code: 1, stderr: expect.stringContaining(`127.0.0.1:${port} is in use`) })
  const peers = await run({
    onlyArgs: true,
    args: ['--api', '127.0.0.1:0', '--listen', `/ip4/127.0.0.1/tcp/${port}`],
  })
  expect(peers).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`Port ${port} of 127.0.0.1 is in use`),
  })
})

test('a default port that is taken is replaced by another one', async () => {
  const other = createServer()
  onTestFinished(() => void other.close())
  // When something on this machine has the port already, that is just as good.
  await new Promise<void>((resolve) => other.once('error', () => resolve()).listen(4677, '0.0.0.0', resolve))
  const [first, second] = [await start({ onlyArgs: true }), await start({ onlyArgs: true })]
  expect(first.url).not.toBe(second.url)
  expect(readJson(first.home, 'run/daemon.json')['addresses']).toEqual(['/ip4/0.0.0.0/tcp/0'])
})

test('--help and --version answer on stdout and touch nothing', async () => {
  const home = newHome()
  const help = await run({ home, args: ['--help'] })
  expect(help).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('--bootstrap <multiaddr>'),
  })
  const version = await run({ home, args: ['--version'] })
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect(existsSync(join(home, 'state'))).toBe(false)
})

test('the real node serves, keeps its identity, and frees its ports when it is told to stop', async () => {
  const home = newHome()
  const first = await start({ stub: false, home })
  const status = (await (await first.fetch('/v1/status')).json()) as { peerId: string; addresses: string[] }
  expect(status.peerId).toBe(first.peerId)
  expect(readJson(home, 'run/daemon.json')['addresses']).toEqual(status.addresses)
  expect(await first.stop()).toMatchObject({ code: 0 })
  const port = status.addresses[0]?.split('/')[4] ?? ''
  const args = [
    '--api',
    `127.0.0.1:${new URL(first.url).port}`,
    '--listen',
    `/ip4/127.0.0.1/tcp/${port}`,
    '--no-mdns',
  ]
  const second = await start({ stub: false, home, onlyArgs: true, args })
  expect(second.peerId).toBe(first.peerId)
  await second.kill()
  expect((await start({ stub: false, home, onlyArgs: true, args })).url).toBe(first.url)
})
