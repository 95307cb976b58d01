import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { fullProgram, type ReferenceTexts, renderReference } from './reference.ts'

const checkout = resolve(import.meta.dirname, '../../..')

const en: ReferenceTexts = {
  intro: `# easynet: every command

English · [中文](cli.zh.md)

This page is made from the program itself by \`npm run test:unit -- test/unit/cli/reference -u\`; a test fails when it is behind.

- stdout is the result and nothing else; notes and errors go to stderr.
- \`--json\` prints one JSON document, also for errors and help. \`call --stream\`, \`logs -f\` and \`serve\` print one document a line.
- Exit codes: 0 ok, 1 the function or a check failed, 2 usage, 3 daemon unreachable, 4 not authorised, 5 nobody offers it, 6 budget, 70 internal, 124 timeout, 129, 130 and 143 stopped by a signal.
- \`EASYNET_LANG=zh\` gives Chinese texts; names, codes and JSON keys stay English.
- Words are completed after \`source <(easynet completion bash)\`, and likewise for zsh, fish and PowerShell.
- Something does not work: \`easynet doctor\` names the cause and what to do, \`easynet bugreport\` collects what a maintainer asks for.
- To have it always, or in a container: [a daemon that is always there](service.md). What a daemon does: [watching a daemon](observability.md).`,
  global: '## Options of every command',
  header: '| | |',
}

const zh: ReferenceTexts = {
  intro: `# easynet：全部命令

[English](cli.md) · 中文

本页由 \`npm run test:unit -- test/unit/cli/reference -u\` 从程序本身生成；若落后，测试会失败。

- 标准输出只有结果；提示和错误写到标准错误。
- \`--json\` 输出一个 JSON 文档，错误和帮助也一样。\`call --stream\`、\`logs -f\` 和 \`serve\` 每行一个文档。
- 退出码：0 成功，1 函数或检查失败，2 用法错误，3 找不到守护进程，4 未授权，5 没有提供者，6 预算不足，70 内部错误，124 超时，129、130 和 143 被信号停止。
- \`EASYNET_LANG=zh\` 给出中文文本；名称、代码和 JSON 键保持英文。
- 执行 \`source <(easynet completion bash)\` 后可以补全；zsh、fish 和 PowerShell 同理。
- 有问题时：\`easynet doctor\` 指出原因和办法，\`easynet bugreport\` 收集维护者需要的信息。
- 要一直运行，或在容器中：[一直运行的守护进程](service.zh.md)。守护进程在做什么：[观测守护进程](observability.zh.md)。`,
  global: '## 每个命令的选项',
  header: '| | |',
}

test.each([
  ['en', en, 'cli.md'],
  ['zh', zh, 'cli.zh.md'],
] as const)('the reference in %s is what the program says', async (language, texts, file) => {
  const page = renderReference(await fullProgram(language), texts)
  await expect(page).toMatchFileSnapshot(join(checkout, 'docs/guides', file))
})

test('the image runs files that exist, and asks the daemon how it is', () => {
  const text = readFileSync(join(checkout, 'deploy/Dockerfile'), 'utf8')
  const files = [...text.matchAll(/\/opt\/easynet\/(bin\/[\w/.-]+)/g)].map(([, file = '']) => file)
  expect(files.length).toBeGreaterThan(1)
  expect(files.filter((file) => !existsSync(join(checkout, file)))).toEqual([])
  expect(text).toMatch(/HEALTHCHECK [^\n]*\\\n\s+CMD \["easynet", "status", "--check"\]/)
})
