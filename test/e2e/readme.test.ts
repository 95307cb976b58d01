import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CHECKOUT, type Ended, processesWith, run, type RunningCommand, start } from './support/commands.ts'

// Every fenced block has a comment in front of it that says what becomes of it:
//   run · run fails   a shell script; it has to succeed, or to end with an error
//   output            exactly what the `run` before it prints
//   output like       the same but for numbers, ids, names of this machine and the width of columns
//   serve             a command that stays in another terminal
//   file NAME         the content of a file beside the others
//   scripts           npm scripts of package.json; the demo has its own test
//   transcript        checked by demo.test.ts
//   diagram           not checked
const TAGS = /^(?:run|run fails|output|output like|serve|file [\w.]+|scripts|transcript|diagram)$/
const GUIDES = ['docs/guides/observability.md', 'docs/guides/service.md']
/** Documents that exist in both languages; the blocks are the same, so those of one are run. */
const TRANSLATED = ['README.md', ...GUIDES]
const RUN = [...TRANSLATED, 'examples/README.md', 'sdk/python/README.md']
const chineseOf = (file: string): string => file.replace(/\.md$/, '.zh.md')
const ALL = [...RUN, ...TRANSLATED.map(chineseOf)]

interface Block {
  tag: string
  text: string
  line: number
}

const read = (file: string): string => readFileSync(join(CHECKOUT, file), 'utf8')

/** The fenced blocks of a file with their tags; an untagged one has the tag ''. */
function blocksOf(file: string): Block[] {
  const lines = read(file).split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at += 1) {
    if (!/^\s*(```|~~~)/.test(lines[at] ?? '')) continue
    const end = lines.indexOf('```', at + 1)
    if (end === -1) throw new Error(`${file}:${at + 1}: this block does not end`)
    const tag = /^<!-- (.*) -->$/.exec(lines[at - 1] ?? '')?.[1] ?? ''
    blocks.push({ tag, text: `${lines.slice(at + 1, end).join('\n')}\n`, line: at + 1 })
    at = end
  }
  return blocks
}

test('every guide is here, in both languages; the reference of commands has its own test', () => {
  const guides = [...GUIDES, 'docs/guides/cli.md']
  const files = guides.flatMap((file) => [file, chineseOf(file)]).sort()
  expect(
    readdirSync(join(CHECKOUT, 'docs/guides'))
      .map((name) => `docs/guides/${name}`)
      .sort(),
  ).toEqual(files)
})

test.each(ALL)('every block of %s is run, or says why not', (file) => {
  const blocks = blocksOf(file)
  expect(blocks.length).toBeGreaterThan(3)
  for (const { tag, line } of blocks) expect(tag, `${file}:${line}`).toMatch(TAGS)
})

test.each(TRANSLATED)('both languages of %s have the same sections, blocks and links', (document) => {
  const [english, chinese] = [document, chineseOf(document)].map((file) => ({
    levels: read(file)
      .replaceAll(/^```[^]*?^```/gm, '')
      .match(/^#+(?= )/gm),
    blocks: blocksOf(file).map(({ tag, text }) => ({ tag, text })),
    links: [...read(file).matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) =>
      target.replace('.zh.md', '.md'),
    ),
  }))
  expect(chinese).toEqual(english)
})

test.each(ALL)('the links of %s lead somewhere', (file) => {
  for (const [, target = ''] of read(file).matchAll(/\]\(([^)]+)\)/g)) {
    if (/^https?:/.test(target)) continue
    expect(existsSync(join(CHECKOUT, dirname(file), target.replace(/#.*/, ''))), target).toBe(true)
  }
})

test('the npm scripts exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  for (const { tag, text } of RUN.flatMap(blocksOf)) {
    if (tag !== 'scripts') continue
    for (const line of text.trim().split('\n')) {
      const name = /^npm (?:run )?(\w+)( +#.*)?$/.exec(line)?.[1] ?? line
      const file = /scripts\/run\.mjs (\S+)/.exec(scripts[name] ?? '')?.[1] ?? 'nothing'
      expect(existsSync(join(CHECKOUT, file)), name).toBe(true)
    }
  }
})

describe.each(RUN)('%s', (file) => {
  test('its commands and programs do what it says', async () => {
    const folder = checkoutMirror()
    const env = {
      EASYNET_API: '127.0.0.1:0',
      EASYNET_LISTEN: '/ip4/127.0.0.1/tcp/0',
      EASYNET_MDNS: 'false',
    }
    const serving: RunningCommand[] = []
    let exports = ''
    let last: Ended | undefined
    try {
      for (const { tag, text, line } of blocksOf(file)) {
        const where = `${file}:${line}`
        if (tag.startsWith('file ')) writeFileSync(join(folder, tag.slice(5)), text)
        if (tag === 'serve') {
          const command = start('sh', ['-c', `${exports}exec ${text}`], { cwd: folder, env })
          serving.push(command)
          await command.says('Serving')
        }
        if (tag.startsWith('run')) {
          last = await run('sh', ['-e', '-c', exports + text], { cwd: folder, env })
          const succeeded = last.code === 0
          expect(succeeded, `${where}\n${last.stdout}${last.stderr}`).toBe(tag === 'run')
          exports += text.match(/^export .*\n/gm)?.join('') ?? ''
        }
        if (tag === 'output') expect(last?.stdout.split('\n'), where).toEqual(text.split('\n'))
        if (tag === 'output like') expect(alike(last?.stdout ?? ''), where).toEqual(alike(text))
      }
      // `easynet down` returns when the daemon has let go of its files, a moment before its process ends.
      const daemons = (): string[] =>
        processesWith(folder).filter((command) => command.includes('easynetd.mjs'))
      await expect.poll(daemons, { timeout: 10_000 }).toEqual([])
    } finally {
      for (const command of serving) await command.stop()
      for (const command of processesWith(folder)) process.kill(Number.parseInt(command, 10), 'SIGKILL')
    }
  })
})

/** The lines of an output without what differs from run to run and from machine to machine. */
function alike(text: string): string[] {
  const plain = text
    .replaceAll(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|00-[\da-f]{32}-[\da-f]{16}-01/g, 'ID')
    .replaceAll(/12D3KooW\w{44}|…\w{8}/g, 'PEER')
    .replaceAll(/^\S+(?= is up\.)/gm, 'NAME')
    .replaceAll(/\d+(?:\.\d+)*/g, 'N')
  return plain.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '))
}

/** A folder that looks like the checkout, so that what the blocks write stays out of the real one. */
function checkoutMirror(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ezn-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of readdirSync(CHECKOUT)) {
    if (!name.startsWith('.')) symlinkSync(join(CHECKOUT, name), join(folder, name))
  }
  mkdirSync(join(folder, '.easynet'))
  return folder
}
