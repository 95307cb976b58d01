import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { saidZh } from '../../../src/cli/messages/said-zh.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import { type Reason, REASONS } from '../../../src/errors/reasons.ts'
import { whatZh } from '../../../src/cli/messages/errors-zh.ts'
import { messagesOf, textsOf } from '../support/said-texts.ts'

const src = resolve(import.meta.dirname, '../../../src')

const reasons = Object.keys(REASONS) as Reason[]

/** What a shell takes; it is the same in every language. */
const COMMAND =
  /^(?:easynetd?|sudo|ls|chmod|df|fuser|dmesg|kill|--[a-z]+|X status easynet|X --help|X X$)(?: |$)/
/** Expressions that are commands, are translated already, or are no text. */
const NO_TEXT = [
  "api/schemas.ts: z.string().optional().describe('What to do about it, for people.')",
  "cli/errors.ts: texts.said(typeof callId === 'string' ? given.replace('<call id>', callId) : given)",
  'cli/errors.ts: home === undefined ? hint : withHome(hint, shellWord(home))',
  'cli/service/install.ts: later',
  "cli/service/install.ts: command.includes('--user') ? hint.replace('systemctl', 'systemctl --user') : hint",
  "cli/service/install.ts: manager.kind === 'systemd' ? `${command[0]} status easynet` : command.join(' ')",
  "cli/serve/unusable.ts: silent && isPython ? t('serve.tryPython', { file }) : again",
]
const isEnglish = (text: string): boolean => !COMMAND.test(text) && !/\p{Script=Han}/u.test(saidZh(text))

test('every hint of the program is a command or has a Chinese form', () => {
  const hints = textsOf('hint', src)
  expect(hints.length).toBeGreaterThan(90)
  const unknown = hints.filter(
    ({ text, file, source }) => text === undefined && !NO_TEXT.includes(`${file}: ${source}`),
  )
  expect(unknown).toEqual([])
  expect(hints.filter(({ text }) => text !== undefined && isEnglish(text))).toEqual([])
})

test('every reason that a command of the CLI gives has a Chinese form', () => {
  const reasons = ['commands', 'service'].flatMap((folder) => textsOf('why', `${src}/cli/${folder}`))
  const texts = reasons.flatMap(({ text }) => (text === undefined || text === '' ? [] : [text]))
  expect(texts.length).toBeGreaterThan(5)
  expect(texts.filter(isEnglish)).toEqual([])
})

test('every error of the CLI itself has a message in Chinese', () => {
  const english = messagesOf(`${src}/cli`).filter(
    ({ reason, text }) => text !== undefined && whatZh(new EasyNetError(reason, text), text).includes(text),
  )
  expect(english).toEqual([])
  // Those that are made by a function of the file.
  const handedOn = textsOf('message', `${src}/cli`).flatMap(({ text }) => text ?? [])
  const inEnglish = (text: string): boolean =>
    reasons.every((reason) => whatZh(new EasyNetError(reason, text), text).includes(`（${text}`))
  expect(handedOn.length).toBeGreaterThan(3)
  expect(handedOn.filter(inEnglish)).toEqual([])
})

test.each([
  [
    'Give another one: --listen /ip4/0.0.0.0/tcp/0 takes a free port.',
    '换一个：--listen /ip4/0.0.0.0/tcp/0 会取空闲端口。',
  ],
  ['Use --name, or: easynet config set name VALUE', '用 --name，或者：easynet config set name VALUE'],
  ['Did you mean network.mdns?', '你想写的是 network.mdns 吗？'],
  [
    'Pass { url, token } or set EASYNET_TOKEN to the content of run/token of that daemon.',
    /^给出 \{ url, token \}，/,
  ],
  [
    'Put it aside, a new one is made at the next start: mv "a" "b"; rm -f "c"',
    '把它移开，下次启动时会新建一个：mv "a" "b"; rm -f "c"',
  ],
  ['easynet up', 'easynet up'],
  ['What another device says.', 'What another device says.'],
])('"%s" in Chinese', (said, expected) => {
  expect(saidZh(said)).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected))
})
