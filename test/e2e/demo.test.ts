import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { CHECKOUT, processesWith, run, start } from './support/commands.ts'

/** A temporary folder of its own for one demo, so that what it leaves behind can be seen. */
function newTmp(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ezn-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const demo = (folder: string, ...args: string[]) =>
  start('node', ['scripts/demo.ts', ...args], { env: { TMPDIR: folder } })

function expectNothingLeft(folder: string): void {
  expect(readdirSync(folder).filter((name) => name.startsWith('easynet-'))).toEqual([])
  expect(processesWith(`${folder}/easynet-demo`)).toEqual([])
}

test('npm run demo: every call is shown with who ran it, and nothing is left', async () => {
  const folder = newTmp()
  const startedAt = performance.now()
  const { code, stdout, stderr } = await run('npm', ['run', 'demo', '--silent'], { env: { TMPDIR: folder } })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(performance.now() - startedAt).toBeLessThan(60_000)
  expectNothingLeft(folder)

  expect(stdout).not.toContain('\x1b')
  const peerId = (name: string): string =>
    new RegExp(`^  ${name} +(…\\w{8})  ready in [\\d.]+ s`, 'm').exec(stdout)?.[1] ?? 'nothing'
  const ids = ['studio', 'lab', 'laptop'].map(peerId)
  expect(new Set([...ids, 'nothing']).size).toBe(4)
  const ran = (fn: string, name: string): RegExp =>
    new RegExp(`   ${fn} ran on ${name} ${peerId(name)}, direct, \\d+ ms`)
  for (const fn of ['text.stats', 'image.thumbnail', 'text.words']) expect(stdout).toMatch(ran(fn, 'studio'))
  for (const fn of ['hash.sha256', 'hash.search', 'hash.verify']) expect(stdout).toMatch(ran(fn, 'lab'))

  const picture = readFileSync(join(CHECKOUT, 'examples/data/coast.jpg'))
  expect(stdout).toContain(`   ${createHash('sha256').update(picture).digest('hex')}\n`)
  expect(stdout).toContain('%%%%%%')
  expect(stdout).toMatch(
    /ms, then cancelled\n.*saw it try \d+ numbers.*\n {3}lab: 0 searches running, 1 stopped/,
  )
  expect(stdout).toMatch(/ms: function_error\n {3}ValueError: /)
  expect(stdout).toContain('studio/hash.sha256 is refused: no_provider')
  expect(stdout).toMatch(
    /\d+ bytes; looked for in them and not found: function names, the letter, the picture/,
  )
  expect(stdout).toMatch(/Done in [\d.]+ s; all processes have ended and their files are gone\.\n$/)

  for (const readme of ['README.md', 'README.zh.md']) {
    const text = readFileSync(join(CHECKOUT, readme), 'utf8')
    const transcript = /^EasyNet demo: [^]*?files are gone\.$/m.exec(text)?.[0]
    expect(shapeOf(transcript), `the transcript in ${readme}`).toEqual(shapeOf(stdout))
  }
})

/** The lines of a run without what differs from run to run: ids, times, counts. */
function shapeOf(shown = ''): string[] {
  return shown
    .trim()
    .replaceAll(/…\w{8}/g, '…ID')
    .replaceAll(/\d+(\.\d+)?/g, 'N')
    .split('\n')
}

test('--keep leaves a mesh that works, --stop ends it', async () => {
  const folder = newTmp()
  const { code, stdout } = await demo(folder, '--keep').ended
  expect(code).toBe(0)
  const home = /export EASYNET_HOME=(\S+)/.exec(stdout)?.[1] ?? 'nothing'
  const kept = /npm run demo -- --stop (\S+)/.exec(stdout)?.[1] ?? 'nothing'
  expect(processesWith(kept).length).toBeGreaterThanOrEqual(5)
  try {
    const commands = [...stdout.matchAll(/^ {2}(easynet .*)$/gm)].map(([, command]) => command as string)
    expect(commands).toHaveLength(5)
    for (const command of commands) {
      const ended = await run('sh', ['-c', command], { env: { EASYNET_HOME: home } })
      expect(ended, command).toMatchObject({ code: 0 })
      expect(ended.stdout, command).not.toBe('')
    }
  } finally {
    expect(await demo(folder, '--stop', kept).ended).toMatchObject({ code: 0 })
  }
  expectNothingLeft(folder)
  expect(await demo(folder, '--stop', kept).ended).toMatchObject({ code: 1 })
})

test.each([
  ['while the first daemon starts', 'EasyNet demo', 0],
  ['while the others start', 'EasyNet demo', 900],
  ['before the first call', 'laptop had found', 0],
  ['in the middle of a call', '5. A cancelled call', 200],
])('Ctrl-C %s leaves nothing', async (_when, line, afterMs) => {
  const folder = newTmp()
  const running = demo(folder)
  await running.says(line)
  await sleep(afterMs)
  const { code, stderr } = await running.stop('SIGINT')
  expect(code).toBe(130)
  expect(stderr).toContain('everything was stopped')
  expectNothingLeft(folder)
})

test('what is wrong is said, and nothing is left', async () => {
  const folder = newTmp()
  const env = { TMPDIR: folder, EASYNET_PYTHON: join(folder, 'python4') }
  const ended = await run('node', ['scripts/demo.ts'], { env })
  expect(ended.code).toBe(1)
  expect(ended.stderr).toMatch(/^The demo failed: .*python4 cannot be run\. Install Python 3\.9/)
  expectNothingLeft(folder)
  expect(await run('node', ['scripts/demo.ts', '--fast'])).toMatchObject({ code: 2, stdout: '' })
})

test('--stop touches only what the demo made', async () => {
  const folder = newTmp()
  expect(await run('node', ['scripts/demo.ts', '--stop', folder])).toMatchObject({ code: 2 })
  expect(existsSync(folder)).toBe(true)
})
