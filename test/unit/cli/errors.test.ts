import { expect, test } from 'vitest'
import { createCli } from '../../../src/cli/cli.ts'
import { reportError } from '../../../src/cli/errors.ts'
import { EasyNetError } from '../../../src/errors/error.ts'
import { type Reason, REASONS } from '../../../src/errors/reasons.ts'
import { Readable } from 'node:stream'
import { recorder } from './support.ts'

const HOME = '/tmp/x'
const OUTPUT = "The function's own output is in the terminal of easynet serve on that device."

/** The lines that are printed for `error`, without their labels. */
async function linesOf(error: EasyNetError, language = 'en', home?: string): Promise<string[]> {
  const [stdout, stderr] = [recorder(), recorder()]
  const init = { stdin: Readable.from([]), stdout, stderr, env: { EASYNET_LANG: language } }
  const signal = new AbortController().signal
  reportError(await createCli({ ...init, signal }, home === undefined ? {} : { home }), error)
  const lines = stderr.text().trimEnd().split('\n')
  return lines.map((line) => line.replace(/^(?:Error:|Why:|Try:|错误：|原因：|试试：) /, ''))
}

test.each(Object.keys(REASONS) as Reason[])(
  '%s has a Chinese line; an unknown message follows it',
  async (reason) => {
    const [what] = await linesOf(new EasyNetError(reason, 'Port 7 is odd.'), 'zh')
    expect(what).toMatch(/^[^（）]*\p{Script=Han}[^（）]*。（Port 7 is odd\.）$/u)
  },
)

test.each<[Reason, string, string]>([
  ['no_provider', 'Nobody in the mesh offers a function "a.b" now.', '网络中现在没有设备提供函数“a.b”。'],
  ['no_provider', 'The device 客厅 does not offer a function "f" now.', '设备 客厅 现在不提供函数“f”。'],
  ['queue_full', '"f" is busy: 4 run and 16 wait.', '函数“f”正忙：4 个在运行，16 个在等待。'],
  ['deadline_exceeded', 'No answer came within 50 ms.', '在 50 毫秒内没有得到应答。'],
  ['unknown_call', 'No call with the id abc is known here.', '这里没有标识为 abc 的调用。'],
  ['invalid_request', '没有“x”这个命令。', '没有“x”这个命令。'],
])('in Chinese %s "%s" needs no English', async (reason, message, expected) => {
  expect((await linesOf(new EasyNetError(reason, message), 'zh'))[0]).toBe(expected)
})

test('an exception keeps its name and message in Chinese', async () => {
  const error = new EasyNetError('function_error', 'too far', { details: { name: 'RangeError' } })
  expect(await linesOf(error, 'zh', HOME)).toEqual([
    '函数出错了。（RangeError: too far）',
    '函数抛出了异常。',
    '函数自己的输出在那台设备上运行 easynet serve 的终端中。',
  ])
})

test.each([
  ['See what is offered: easynet fn ls', '查看提供了哪些函数：easynet fn ls --home /tmp/x'],
  [
    'See the devices and their peer ids: easynet peer ls',
    '查看设备及其 peer id：easynet peer ls --home /tmp/x',
  ],
  ['See the last calls: easynet ps --all', '查看最近的调用：easynet ps --all --home /tmp/x'],
  ['When it is back: easynet task show a1', '等它回来后：easynet task show a1 --home /tmp/x'],
  ['easynet up', 'easynet up --home /tmp/x'],
])('in Chinese the hint "%s" is "%s"', async (hint, expected) => {
  const lines = await linesOf(new EasyNetError('internal', 'x', { hint }), 'zh', HOME)
  expect(lines[2]).toBe(expected)
})

test.each<[EasyNetError, string]>([
  [new EasyNetError('function_error', 'x'), OUTPUT],
  [
    new EasyNetError('invalid_request', 'x', { details: { fn: 'text.upper', issues: [] } }),
    'easynet fn show text.upper --home /tmp/x',
  ],
  [
    new EasyNetError('invalid_request', 'x', { details: { callId: 'a1' } }),
    'easynet fn show FN --home /tmp/x',
  ],
  [new EasyNetError('invalid_request', 'x'), 'easynet help --home /tmp/x'],
  [
    new EasyNetError('deadline_exceeded', 'x'),
    'Give it more time: easynet call FN --timeout 5m --home /tmp/x',
  ],
  [new EasyNetError('unauthenticated', 'x'), 'easynet down --home /tmp/x && easynet up --home /tmp/x'],
  [
    new EasyNetError('outcome_unknown', 'x', {
      hint: 'Ask again later: easynet task show <call id>',
      details: { callId: 'a1' },
    }),
    'Ask again later: easynet task show a1 --home /tmp/x',
  ],
  [
    new EasyNetError('internal', 'x', { hint: 'easynet serve /a/b.ts' }),
    'easynet serve /a/b.ts --home /tmp/x',
  ],
  [
    new EasyNetError('internal', 'x', { hint: 'easynet service install --system --print' }),
    'easynet service install --system --print',
  ],
  [new EasyNetError('internal', 'x', { hint: 'Use it (easynet status).' }), 'Use it (easynet status).'],
])('what to try helps and keeps the home: %#', async (error, expected) => {
  expect((await linesOf(error, 'en', HOME))[2]).toBe(expected)
})
