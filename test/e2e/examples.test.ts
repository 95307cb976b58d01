import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decode } from 'jpeg-js'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, EasyNetError, type Mesh } from '../../src/sdk/index.ts'
import { CHECKOUT, type Ended, run, type RunningCommand, start } from './support/commands.ts'
import { type Daemon, removeHome, startDaemon, temporaryHome } from './support/daemon.ts'

const COAST = 'examples/data/coast.jpg'
const SERVED = ['text.ts', 'images.ts', 'hash.py', 'tools.ts']
const data = (name: string): Buffer => readFileSync(join(CHECKOUT, 'examples/data', name))
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('every example is tested here', () => {
  const files = readdirSync(join(CHECKOUT, 'examples')).filter((name) => /\.(ts|py)$/.test(name))
  expect(files.sort()).toEqual([...SERVED, 'first-call.ts', 'seed.py'].sort())
})

test('the picture is what its script draws', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'easynet-picture-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const drawn = join(folder, 'coast.jpg')
  expect(await run('node', ['scripts/demo-picture.ts', drawn])).toMatchObject({ code: 0 })
  expect(sha256(readFileSync(drawn))).toBe(sha256(data('coast.jpg')))
})

describe('served on one device', () => {
  let daemon: Daemon
  let serving: RunningCommand
  let mesh: Mesh
  const easynet = (...args: string[]): Promise<Ended> =>
    run('easynet', args, { env: { EASYNET_HOME: daemon.home } })

  beforeAll(async () => {
    daemon = await startDaemon({ args: ['--name', 'studio'] })
    const files = SERVED.map((name) => `examples/${name}`)
    serving = start('easynet', ['serve', ...files], { env: { EASYNET_HOME: daemon.home } })
    for (const name of SERVED) await serving.says(`from ${name}`)
    mesh = await connect({ home: daemon.home })
  })
  afterAll(async () => {
    await mesh.close()
    await serving.stop()
    await daemon[Symbol.asyncDispose]()
  })

  test('text.ts counts English and Chinese', async () => {
    const { code, stdout } = await easynet('call', 'text.stats', 'Hello, 世界!\nThis is EasyNet. 你好。')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      lines: 2,
      sentences: 3,
      words: 6,
      chineseWords: 2,
      characters: 31,
    })
    expect(await easynet('call', 'reverse', 'abc')).toMatchObject({ code: 0, stdout: 'cba\n' })
    expect(await easynet('call', 'text.stats', '--args', '[42]')).toMatchObject({ code: 2 })
  })

  test('text.ts streams words and returns their number', async () => {
    const { stdout } = await easynet('call', 'text.words', 'one 函数 three', '--stream', '--json')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(lines).toEqual([{ chunk: 'one' }, { chunk: '函数' }, { chunk: 'three' }, { result: 3 }])
  })

  test('images.ts makes thumbnails and draws with letters', async () => {
    const small = await mesh.call<{ image: Uint8Array; width: number; height: number }>(
      'image.thumbnail',
      [],
      { kwargs: { image: data('coast.jpg'), width: 96 } },
    )
    expect(decode(small.image)).toMatchObject({ width: 96, height: 60 })
    expect(small.image.length).toBeLessThan(5_000)
    const { stdout } = await easynet('call', 'image.ascii', `image@=${COAST}`, 'width:=64')
    expect(stdout.split('\n')).toHaveLength(21)
    expect(stdout).toContain('@@@@@@@@')
    const refused = await easynet('call', 'image.ascii', `image@=${COAST}`, 'width:=0')
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('width')
  })

  test('hash.py hashes bytes and streams the hashes of blocks', async () => {
    expect(await easynet('call', 'hash.sha256', `data@=${COAST}`)).toMatchObject({
      code: 0,
      stdout: `${sha256(data('coast.jpg'))}\n`,
    })
    const blocks = await Array.fromAsync(mesh.stream('hash.blocks', [data('letter.txt'), 500]))
    expect(blocks).toEqual(
      [0, 500, 1_000, 1_500].map((at) => sha256(data('letter.txt').subarray(at, at + 500))),
    )
  })

  test('hash.py stops a search when its caller cancels', async () => {
    const cancel = new AbortController()
    const onProgress = (): void => cancel.abort()
    const search = mesh.call('hash.search', ['never', 40], { signal: cancel.signal, onProgress })
    await expect(search).rejects.toMatchObject({ reason: 'cancelled' })
    await expect.poll(async () => mesh.call('hash.searches')).toMatchObject({ running: 0, stopped: 1 })
    expect(await mesh.call('hash.search', ['EasyNet', 3])).toMatchObject({
      digest: expect.stringMatching(/^000/) as string,
    })
  })

  test('hash.py raises ValueError, which arrives with its name and text', async () => {
    const error: unknown = await mesh
      .call('hash.verify', [data('letter.txt'), 'xyz'])
      .catch((thrown) => thrown)
    expect(error).toBeInstanceOf(EasyNetError)
    expect(error).toMatchObject({ reason: 'function_error', details: { name: 'ValueError' } })
    const { code, stdout, stderr } = await easynet('call', 'hash.verify', `data@=${COAST}`, 'expected=xyz')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('64 hex digits')
    expect(stderr).not.toContain('Traceback')
  })

  test('tools.ts', async () => {
    expect(await easynet('call', 'greet', 'Ada')).toMatchObject({ stdout: 'Hello Ada!\n' })
    expect(await easynet('call', 'text.upper', 'hello')).toMatchObject({ stdout: 'HELLO\n' })
    expect(await easynet('call', 'text.count', 'text=one two')).toMatchObject({
      stdout: '{"words":2,"letters":7}\n',
    })
    expect(await easynet('call', 'countdown', '3', '--stream')).toMatchObject({
      stdout: '3\n2\n1\nlift-off\n',
    })
  })

  test('first-call.ts', async () => {
    const ended = await run('node', ['examples/first-call.ts'], { env: { EASYNET_HOME: daemon.home } })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(/^three two one\nran on studio \(local\) in [\d.]+ ms\n\w+: .*\n$/)
  })
})

test('seed.py: the twelve lines of the seeds, with the import changed', async () => {
  const home = temporaryHome()
  onTestFinished(() => removeHome(home))
  const env = {
    EASYNET_HOME: home,
    EASYNET_API: '127.0.0.1:0',
    EASYNET_LISTEN: '/ip4/127.0.0.1/tcp/0',
    EASYNET_MDNS: 'false',
    PYTHONPATH: 'sdk/python',
    SEED_PORT: String(await freePort()),
  }
  const seed = (part: string): RunningCommand => start('python3', ['examples/seed.py', part], { env })
  expect(await seed('gateway').ended).toMatchObject({ code: 0, stderr: '' })
  try {
    const node = seed('node')
    await node.says('serving ai_inference')
    const { code, stdout } = await seed('client').ended
    expect({ code, words: stdout.split(' ').length }).toEqual({ code: 0, words: 14 })
    expect(stdout).toMatch(/^Hello AI /)
    expect(await node.stop('SIGINT')).toMatchObject({ code: 0 })
  } finally {
    expect(await run('easynet', ['down'], { env })).toMatchObject({ code: 0 })
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
