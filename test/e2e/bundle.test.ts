import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { ownPackage } from '../../src/util/installation.ts'
import { CHECKOUT, run, start } from './support/commands.ts'

let root: string

/** An installation whose sources and bundle say which of them runs. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ezn-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const folder of ['bin', 'src/cli', 'dist']) mkdirSync(join(root, folder), { recursive: true })
  for (const file of ['easynet.mjs', 'start.mjs'])
    cpSync(join(CHECKOUT, 'bin', file), join(root, 'bin', file))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  writeFileSync(join(root, 'src/cli/main.ts'), 'const from: string = "sources"; console.log(from)')
  writeFileSync(join(root, 'src/cli/other.ts'), 'export const one = 1')
  putBundle('console.log("bundle")')
  note(['src/cli/main.ts', 'src/cli/other.ts'])
})

function putBundle(code: string): void {
  writeFileSync(join(root, 'dist/easynet.js'), code)
}

/** What `scripts/build.mjs` writes down. */
function note(files: string[]): void {
  const { size, mtimeMs } = statSync(join(root, 'dist/easynet.js'))
  const inputs = files.map((file) => {
    const stats = statSync(join(root, file))
    return [file, `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`]
  })
  const text = JSON.stringify({ bundle: `${size} ${mtimeMs}`, inputs: Object.fromEntries(inputs) })
  writeFileSync(join(root, 'dist/easynet.json'), text)
}

async function loaded(): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, [join(root, 'bin/easynet.mjs')])
  return stdout.trim() || stderr
}

test('the bundle runs when its sources are as they were', async () => {
  expect(await loaded()).toBe('bundle')
})

test('a source of the same size and time with other content is noticed', async () => {
  const file = join(root, 'src/cli/other.ts')
  utimesSync(file, 1_000, 1_000)
  note(['src/cli/main.ts', 'src/cli/other.ts'])
  expect(await loaded()).toBe('bundle')
  writeFileSync(file, readFileSync(file, 'utf8').replace('1', '2'))
  utimesSync(file, 1_000, 1_000)
  expect(await loaded()).toBe('sources')
})

test('a source that was removed is noticed', async () => {
  rmSync(join(root, 'src/cli/other.ts'))
  expect(await loaded()).toBe('sources')
})

test('a bundle of another build than the note, or half a note, is not run', async () => {
  putBundle('console.log("another bundle")')
  expect(await loaded()).toBe('sources')
  note(['src/cli/main.ts'])
  expect(await loaded()).toBe('another bundle')
  const file = join(root, 'dist/easynet.json')
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40))
  expect(await loaded()).toBe('sources')
  rmSync(file)
  expect(await loaded()).toBe('sources')
})

test('where there are no sources the bundle runs', async () => {
  rmSync(join(root, 'src/cli'), { recursive: true })
  expect(await loaded()).toBe('bundle')
})

test('a Node that is too old is told, and nothing is run on it', async () => {
  const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '23.9.0' } })`
  const args = ['--import', `data:text/javascript,${encodeURIComponent(old)}`, join(root, 'bin/easynet.mjs')]
  const people = await run(process.execPath, [...args, 'status'])
  expect(people).toMatchObject({ code: 70, stdout: '' })
  expect(people.stderr).toMatch(/^Error: .+ Node 23\.9\.0\.\nWhy: It needs Node 24 or newer\.\nTry: .+\n$/)
  const { stdout } = await run(process.execPath, [...args, 'status', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'error/1', error: { reason: 'unsupported_runtime' } })
  expect(ownPackage().engines.node).toBe('>=24')
})

test('the build makes programs that run', async () => {
  const built = await run(process.execPath, ['scripts/build.mjs'])
  expect(built).toEqual({ code: 0, stdout: '', stderr: '' })
  const { stdout } = await run('easynet', ['version', '--json'], { env: { EASYNET_HOME: root } })
  expect(JSON.parse(stdout)).toMatchObject({ schema: 'version/1', daemon: null, loadedFrom: 'bundle' })
})

test('the wrappers find their checkout through links, from their own folder and with blanks in the path', async () => {
  const folder = join(root, 'my tools')
  mkdirSync(folder)
  symlinkSync(join(CHECKOUT, 'bin/easynet'), join(folder, 'ez'))
  symlinkSync(join(folder, 'ez'), join(folder, 'link to ez'))
  const { version } = ownPackage()
  expect((await run(join(folder, 'link to ez'), ['--version'])).stdout).toBe(`${version}\n`)
  for (const program of ['easynet', 'easynetd']) {
    const { stdout } = await run('sh', [program, '--version'], { cwd: join(CHECKOUT, 'bin') })
    expect(stdout).toBe(`${version}\n`)
  }
})

test('the files of the image are a daemon and a CLI that serve, without packages', async () => {
  const [, image = ''] = readFileSync(join(CHECKOUT, 'deploy/Dockerfile'), 'utf8').split(
    /^FROM .*(?<!build)$/m,
  )
  const folder = mkdtempSync(join(tmpdir(), 'ezn-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [, sources = '', to = ''] of image.matchAll(/^COPY (?:--from=build )?(.+) (\S+)$/gm)) {
    for (const source of sources.replaceAll('/opt/easynet/', '').split(' ')) {
      const isFolder = statSync(join(CHECKOUT, source)).isDirectory()
      cpSync(join(CHECKOUT, source), join(folder, to, isFolder ? '' : basename(source)), { recursive: true })
    }
  }
  writeFileSync(join(folder, 'twice.ts'), 'export const twice = (text: string) => text + text')
  const env = { EASYNET_HOME: join(folder, 'home') }
  const easynet = (...args: string[]) =>
    run(process.execPath, [join(folder, 'bin/easynet.mjs'), ...args], { env })
  const up = await easynet(
    'up',
    '--no-mdns',
    '--api',
    '127.0.0.1:0',
    '--listen',
    '/ip4/127.0.0.1/tcp/0',
    '-q',
  )
  expect(up).toMatchObject({ code: 0, stderr: '' })
  const serving = start(
    process.execPath,
    [join(folder, 'bin/easynet.mjs'), 'serve', join(folder, 'twice.ts')],
    { env },
  )
  try {
    await serving.says('Serving')
    expect(await easynet('call', 'twice', 'ab')).toMatchObject({ code: 0, stdout: 'abab\n' })
    expect(await easynet('status', '--check')).toMatchObject({ code: 0, stdout: '' })
    expect(JSON.parse((await easynet('version', '--json')).stdout)).toMatchObject({ loadedFrom: 'bundle' })
  } finally {
    await serving.stop()
    await easynet('down')
  }
  // What the health check asks.
  expect((await easynet('status', '--check')).code).toBe(3)
})
