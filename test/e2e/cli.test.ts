import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../integration/support/eventually.ts'
import { type Daemon, removeHome, startDaemon, temporaryHome } from './support/daemon.ts'

const PROGRAM = resolve(import.meta.dirname, '../../bin/easynet')
const SDK = JSON.stringify(resolve(import.meta.dirname, '../../src/sdk/index.ts'))
const ISOLATED = ['--api', '127.0.0.1:0', '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns']

const TOOLS = `
import { setTimeout as sleep } from 'node:timers/promises'
import { fn } from ${SDK}
export const upper = (text) => text.toUpperCase()
export const echo = (...all) => all.slice(0, -1)
export const fail = () => { throw new RangeError('too far') }
export const ask = (question) => { console.log('not the result'); return { question } }
export const size = ({ data }) => data.length
export const bytes = (n) => new Uint8Array(Number(n)).fill(65)
export function* words(text) { for (const word of text.split(' ')) yield word + ' '; }
export async function* count(n) { for (let i = 1; i <= Number(n); i++) { yield i; await sleep(5) } return 'end' }
export const stuck = () => { for (;;); }
export const wait = fn('wait', { async run(ms, ctx) { await sleep(Number(ms), undefined, { signal: ctx.signal }); return 'done' } })
const number = (value) => typeof value === 'number' ? { value } : { issues: [{ message: 'no number', path: [] }] }
const schema = (validate) => ({ '~standard': { version: 1, vendor: 'test', validate } })
const wide = ({ w, h }) => {
  const wrong = Object.entries({ w, h }).filter(([, value]) => typeof value !== 'number')
  return wrong.length === 0 ? { value: { w, h } } : { issues: wrong.map(([key]) => ({ message: 'no number', path: [key] })) }
}
export const tri = fn('geo.tri', { input: schema(wide), run: ({ w, h }) => w * h / 2 })
export const one = fn('one', { input: schema(number), run: (n) => n })
export const short = fn('short', { timeoutMs: 200, async run(ms, ctx) { await sleep(Number(ms), undefined, { signal: ctx.signal }) } })
export const area = fn('geo.area', { description: 'width times height', tags: ['math'], run: ({ w, h }) => w * h })
export default (name) => 'hello ' + name
`

interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('EASYNET_')))
  return spawn(PROGRAM, args, { env: { ...own, LC_ALL: 'C', ...env } })
}

async function finish(child: ChildProcess, stdin = ''): Promise<Ran> {
  const output = record(child)
  child.stdin?.end(stdin)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...output }
}

function record(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (text: Buffer) => (output.stdout += text.toString()))
  child.stderr?.on('data', (text: Buffer) => (output.stderr += text.toString()))
  return output
}

/** A served file; `stop` is what Ctrl-C does. */
function serveFile(home: string, ...args: string[]) {
  const child = start(['serve', ...args, '--home', home])
  const output = record(child)
  return {
    pid: child.pid,
    output,
    async stop(): Promise<number | null> {
      child.kill('SIGINT')
      const [code] = (await once(child, 'close')) as [number | null]
      return code
    },
  }
}

describe('with a daemon and a served file', () => {
  let daemon: Daemon
  let folder: string
  let serving: ReturnType<typeof serveFile>
  const easynet = (args: string[], stdin?: string): Promise<Ran> =>
    finish(start([...args, '--home', daemon.home]), stdin)
  const json = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await easynet([...args, '--json'])).stdout)

  beforeAll(async () => {
    daemon = await startDaemon({ args: ['--name', 'desk'] })
    folder = mkdtempSync(join(tmpdir(), 'easynet-cli-'))
    writeFileSync(join(folder, 'tools.mjs'), TOOLS)
    serving = serveFile(daemon.home, join(folder, 'tools.mjs'))
    await eventually(() => serving.output.stdout.includes('Serving'))
  })
  afterAll(async () => {
    expect(await serving.stop()).toBe(130)
    await daemon[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  test('serve prints what it offers: exports, definitions, the default export', async () => {
    for (const name of ['upper', 'geo.area', 'wait', 'tools', 'words'])
      expect(serving.output.stdout).toContain(name)
    const names = (await easynet(['fn', 'ls', '-q'])).stdout.trim().split('\n')
    expect(names).toEqual(expect.arrayContaining(['upper', 'geo.area', 'tools']))
  })

  test.each<[string, string[], string]>([
    ['text', ['upper', 'hi'], 'HI\n'],
    ['text of any script', ['tools', '世界'], 'hello 世界\n'],
    ['named and JSON', ['geo.area', 'w:=3', 'h:=4'], '12\n'],
    ['a list', ['echo', '--args', '[1,{"a":null}]', 'x'], '[1,{"a":null},"x"]\n'],
    ['a peer by name', ['desk/upper', 'hi'], 'HI\n'],
    ['a version range', ['upper@^1', 'hi'], 'HI\n'],
    ['raw bytes', ['bytes', '3'], 'AAA'],
    ['a stream of text', ['words', 'a b c', '--stream'], 'a b c \n'],
    ['a stream of values, then the result', ['count', '3', '--stream'], '1\n2\n3\nend\n'],
    ['a stream as one result', ['words', 'a b'], '["a ","b "]\n'],
  ])('call with %s', async (_, args, stdout) => {
    const ran = await easynet(['call', ...args])
    expect(ran).toEqual({ code: 0, stdout: ran.stdout, stderr: '' })
    expect(ran.stdout.trimEnd()).toBe(stdout.trimEnd())
  })

  test('call reads files and standard input', async () => {
    writeFileSync(join(folder, 'photo.bin'), new Uint8Array(100_000))
    expect((await easynet(['call', 'size', `data@=${join(folder, 'photo.bin')}`])).stdout).toBe('100000\n')
    expect((await easynet(['call', 'geo.area', '-'], '{"w":2,"h":5}')).stdout).toBe('10\n')
  })

  test('call --json prints who ran it; what functions print stays out of the result', async () => {
    const { code, stdout } = await easynet(['call', 'ask', 'why', '--json'])
    expect(code).toBe(0)
    const document = JSON.parse(stdout) as Record<string, unknown>
    expect(document).toEqual({
      schema: 'call/1',
      id: expect.any(String) as string,
      result: { question: 'why' },
      provider: { peerId: daemon.peerId, name: 'desk' },
      path: 'local',
      attempts: 1,
      durationMs: expect.any(Number) as number,
      cost: expect.any(String) as string,
    })
    expect(await json('task', 'show', String(document['id']))).toMatchObject({
      schema: 'task/1',
      state: 'done',
    })
    await eventually(() => serving.output.stderr.includes('not the result'))
  })

  test('a failing function is told with the name of its exception, once', async () => {
    const { stderr } = await easynet(['call', 'fail'])
    expect(stderr).toContain('Error: RangeError: too far\n')
    expect(stderr.split('RangeError')).toHaveLength(2)
  })

  test('call --stream --json prints NDJSON', async () => {
    const { stdout } = await easynet(['call', 'count', '2', '--stream', '--json'])
    const lines = stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { chunk: 1 },
      { chunk: 2 },
      { result: 'end' },
    ])
    const failed = await easynet(['call', 'fail', '--stream', '--json'])
    expect(JSON.parse(failed.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      error: { reason: 'function_error' },
    })
    expect(failed.code).toBe(1)
  })

  test.each<[string, string[], number, string]>([
    ['a function that fails', ['fail'], 1, 'function_error'],
    ['bad arguments', ['upper', '--args', 'x'], 2, 'invalid_request'],
    ['a function that nobody offers', ['nobody.has.it'], 5, 'no_provider'],
    ['a device that nobody knows', ['upper', 'x', '--peer', 'nobody'], 5, 'unknown_peer'],
    ['a deadline', ['wait', '60000', '--timeout', '300ms'], 124, 'deadline_exceeded'],
  ])('%s has its exit code and its reason', async (_, args, code, reason) => {
    const ran = await easynet(['call', ...args, '--json'])
    expect(ran.code).toBe(code)
    expect(JSON.parse(ran.stdout)).toMatchObject({ schema: 'error/1', error: { reason } })
    expect(ran.stderr).toBe('')
    const people = await easynet(['call', ...args])
    expect(people).toMatchObject({ code, stdout: '' })
    expect(people.stderr).toMatch(/^Error: .+\nWhy: .+\nTry: .+\n$/)
  })

  test.each([
    [
      ['geo.tri', 'w=2', 'h=x'],
      'Write numbers and other JSON with := instead of =: easynet call geo.tri w:=2 h=x',
    ],
    [['one', '5'], "Arguments that are not text go into a list: easynet call one --args '[5]'"],
    [['uper', 'two words'], "The nearest name is upper: easynet call upper 'two words'"],
    [['desk/uper'], 'The nearest name is upper: easynet call desk/upper'],
    [['wait', '60000', '--timeout', '300ms'], 'Give it more time: easynet call wait 60000 --timeout 5m'],
    [['short', '60000'], 'Its provider gives it 200 ms (timeoutMs): easynet fn show short'],
    [['far.away'], 'See what is offered: easynet fn ls'],
  ])('what to try after %j is the command mended', async (args, hint) => {
    expect((await easynet(['call', ...args])).stderr).toContain(`Try: ${hint} --home ${daemon.home}\n`)
    expect(await json('call', ...args)).toMatchObject({ error: { hint } })
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s cancels the call and says so in one line', async (signal, code) => {
    const child = start(['call', 'wait', '60000', '--home', daemon.home])
    const ended = finish(child)
    await eventually(async () => (await easynet(['ps', '-q'])).stdout !== '')
    child.kill(signal)
    expect(await ended).toEqual({ code, stdout: '', stderr: 'Cancelled.\n' })
    await eventually(async () => (await easynet(['ps', '-q'])).stdout === '')
  })

  test('a running call is listed, and cancelled by its id', async () => {
    const ended = easynet(['call', 'wait', '60000', '--json'])
    const id = await eventually(async () => (await easynet(['ps', '-q'])).stdout.trim())
    expect(await json('ps')).toMatchObject({
      schema: 'calls/1',
      calls: [{ id, fn: 'wait', state: 'running' }],
    })
    expect(await json('task', 'cancel', id)).toEqual({ schema: 'cancel/1', id })
    expect(await ended).toMatchObject({ code: 130 })
    expect((await easynet(['task', 'cancel', id])).code).toBe(2)
  })

  test('a function that ignores its cancel is killed, and its file served again', async () => {
    expect((await easynet(['call', 'stuck', '--timeout', '300ms'])).code).toBe(124)
    await eventually(() => serving.output.stderr.includes('was killed'), 20_000)
    await eventually(async () => (await easynet(['call', 'upper', 'again'])).stdout === 'AGAIN\n', 20_000)
  })

  test('every command with --json prints one document with its schema', async () => {
    const schemas: [string, string[]][] = [
      ['status/1', ['status']],
      ['status/1', ['up']],
      ['functions/1', ['fn', 'ls']],
      ['functions/1', ['fn', 'search', 'width']],
      ['function/1', ['fn', 'show', 'geo.area']],
      ['peers/1', ['peer', 'ls']],
      ['calls/1', ['ps', '--all']],
      ['calls/1', ['task', 'ls']],
      ['version/1', ['version']],
      ['setting/1', ['config', 'get', 'name']],
      ['settings/1', ['config', 'ls']],
      ['path/1', ['config', 'path']],
    ]
    for (const [schema, args] of schemas) expect(await json(...args)).toMatchObject({ schema })
    expect(await json('fn', 'search', 'width')).toMatchObject({ functions: [{ name: 'geo.area' }] })
  })

  test('a reader that has seen enough ends the command quietly', async () => {
    const child = start(['call', 'bytes', '5000000', '--home', daemon.home])
    const output = record(child)
    child.stdout?.once('data', () => child.stdout?.destroy())
    const [code] = (await once(child, 'exit')) as [number | null]
    expect([code, output.stderr]).toEqual([0, ''])
  })

  test('status answers at once', async () => {
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const startedAt = performance.now()
      await easynet(['status', '--check'])
      times.push(performance.now() - startedAt)
    }
    // 150 ms on an idle machine; the tests share theirs.
    expect(Math.min(...times)).toBeLessThan(600)
  })
})

test('served functions come back after the daemon was restarted', async () => {
  const first = await startDaemon()
  const { home } = first
  const folder = mkdtempSync(join(tmpdir(), 'easynet-cli-'))
  writeFileSync(join(folder, 'tools.mjs'), TOOLS)
  const serving = serveFile(home, join(folder, 'tools.mjs'))
  await eventually(() => serving.output.stdout.includes('Serving'))
  await first.kill()
  const second = await startDaemon({ home })
  const upper = (): Promise<Ran> => finish(start(['call', 'upper', 'hi', '--home', home]))
  await eventually(async () => (await upper()).stdout === 'HI\n', 20_000)
  await serving.stop()
  expect((await upper()).code).toBe(5)
  await second.stop()
  rmSync(folder, { recursive: true })
  removeHome(home)
})

test('serve starts a file again when it crashes and when it changes, and gives up on one that cannot work', async () => {
  await using daemon = await startDaemon()
  const folder = mkdtempSync(join(tmpdir(), 'easynet-cli-'))
  const file = join(folder, 'one.mjs')
  writeFileSync(file, 'export const one = () => 1; export const crash = () => process.exit(3)')
  const serving = serveFile(daemon.home, file, '--watch')
  const call = async (name: string): Promise<string> =>
    (await finish(start(['call', name, '--home', daemon.home]))).stdout
  await eventually(() => serving.output.stdout.includes('Serving'))
  await call('crash')
  await eventually(() => serving.output.stderr.includes('ended (3)'))
  await eventually(async () => (await call('one')) === '1\n')
  writeFileSync(file, 'export const one = () => 2')
  await eventually(async () => (await call('one')) === '2\n', 20_000)
  await serving.stop()

  writeFileSync(file, 'export const broken = (')
  const broken = await finish(start(['serve', file, '--home', daemon.home]))
  expect(broken.code).toBe(2)
  expect(broken.stderr).toContain('SyntaxError')
  rmSync(folder, { recursive: true })
})

test('the examples do what they say', async () => {
  await using daemon = await startDaemon()
  const examples = resolve(import.meta.dirname, '../../examples')
  const serving = serveFile(daemon.home, join(examples, 'tools.ts'))
  await eventually(() => serving.output.stdout.includes('Serving'))
  const call = async (...args: string[]): Promise<string> =>
    (await finish(start(['call', ...args, '--home', daemon.home]))).stdout
  expect(await call('greet', 'Ada')).toBe('Hello Ada!\n')
  expect(await call('text.upper', 'hello')).toBe('HELLO\n')
  expect(await call('countdown', '3', '--stream')).toBe('3\n2\n1\nlift-off\n')
  expect(await call('text.count', 'text=one two')).toBe('{"words":2,"letters":7}\n')
  await serving.stop()

  const env = { ...process.env, EASYNET_HOME: daemon.home }
  const first = await finish(spawn(process.execPath, [join(examples, 'first-call.ts')], { env }))
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.stdout).toMatch(/^three two one\nran on .+ \(local\) in .+ ms\nno_provider: .+\n$/)
})

test('a Python file runs as it is', async () => {
  await using daemon = await startDaemon()
  const folder = mkdtempSync(join(tmpdir(), 'easynet-cli-'))
  const file = join(folder, 'greet.py')
  writeFileSync(
    file,
    'from easynet import ComputeNode\n' +
      'node = ComputeNode()\n' +
      '@node.register\n' +
      'def greet(name: str, mark: str = "!") -> str:\n' +
      '    return "hello " + name + mark\n' +
      'node.serve()\n',
  )
  const serving = serveFile(daemon.home, file)
  await eventually(() => serving.output.stdout.includes('Serving greet'), 20_000)
  const ran = await finish(start(['call', 'greet', 'name=Ada', 'mark=?', '--home', daemon.home]))
  expect(ran).toEqual({ code: 0, stdout: 'hello Ada?\n', stderr: '' })
  await serving.stop()
  rmSync(folder, { recursive: true })
})

test('up starts a daemon that outlives it, and down stops it', async () => {
  const home = temporaryHome()
  const easynet = (...args: string[]): Promise<Ran> => finish(start([...args, '--home', home]))
  const up = await easynet('up', '--name', 'bench', ...ISOLATED)
  expect(up).toMatchObject({ code: 0, stderr: '' })
  expect(up.stdout).toContain('bench is up.')
  expect(up.stdout).toContain('alone; nothing to look for')
  expect(up.stdout.match(/^ {2}easynet .+$/gm)).toHaveLength(3)
  const ignored = await easynet('up', '--name', 'other')
  expect(ignored.stderr).toBe('The daemon runs already, so these were ignored: --name\n')
  expect((await easynet('up')).stdout).toContain('bench is already up.')
  expect((await easynet('status')).stdout).toContain('bench')
  expect((await easynet('logs', '-n', '1')).stdout.trim().split('\n')).toHaveLength(1)
  expect(JSON.parse((await easynet('down', '--json')).stdout)).toEqual({ schema: 'down/1', stopped: true })
  expect((await easynet('status')).code).toBe(3)
  expect((await easynet('down')).code).toBe(0)

  const refused = await easynet('up', '--api', '0.0.0.0:1', '--json')
  expect(refused.code).toBe(2)
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { reason: 'unsafe_bind' } })
  removeHome(home)
})

test.each([[], ['--stream']])(
  'a daemon that dies during a call is named, with the id to ask for later %s',
  async (...args) => {
    const daemon = await startDaemon()
    const folder = mkdtempSync(join(tmpdir(), 'easynet-cli-'))
    writeFileSync(join(folder, 'tools.mjs'), TOOLS)
    const serving = serveFile(daemon.home, join(folder, 'tools.mjs'))
    await eventually(() => serving.output.stdout.includes('Serving'))
    const ended = finish(start(['call', 'wait', '60000', ...args, '--home', daemon.home]))
    const running = (): Promise<Ran> => finish(start(['ps', '-q', '--home', daemon.home]))
    const id = await eventually(async () => (await running()).stdout.trim())
    await daemon.kill()
    const { code, stderr } = await ended
    expect(code).toBe(3)
    expect(stderr).toContain('Error: The daemon went away while the call ran.')
    expect(stderr).toContain(`Try: When it is back: easynet task show ${id} --home ${daemon.home}`)
    await serving.stop()
    rmSync(folder, { recursive: true })
    removeHome(daemon.home)
  },
)
