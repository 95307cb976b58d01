import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ended, type RunningCommand, start } from './support/commands.ts'
import { type Daemon, startDaemon } from './support/daemon.ts'

let daemon: Daemon
/** Outside the checkout, as the folder of a user is. */
let folder: string

beforeAll(async () => {
  daemon = await startDaemon()
  folder = mkdtempSync(join(tmpdir(), 'easynet serve-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await daemon[Symbol.asyncDispose]()
})

function serve(name: string, content: string): RunningCommand {
  writeFileSync(join(folder, name), content)
  return start('easynet', ['serve', name, '--home', daemon.home], { cwd: folder })
}

test('a TypeScript file anywhere may import easynet', async () => {
  const serving = serve(
    'far.ts',
    "import { type CallContext, fn } from 'easynet'\n" +
      "import { createNode } from 'easynet/node'\n" +
      "export const far = fn('far.away', { run: (n: number, ctx: CallContext) => n + typeof createNode })\n",
  )
  await serving.says('Serving far.away from far.ts')
  await serving.stop()
})

test('serve prints exactly what its own file offers', async () => {
  const [one, two] = [
    serve('one.ts', 'export const one = () => 1'),
    serve('two.ts', 'export const two = () => 2'),
  ]
  await Promise.all([one.says('Serving'), two.says('Serving')])
  expect([one.output.stdout, two.output.stdout]).toEqual([
    'Serving one from one.ts\n',
    'Serving two from two.ts\n',
  ])
  await Promise.all([one.stop(), two.stop()])
})

const NODE = 'from easynet import ComputeNode\nnode = ComputeNode()\n'
const FUNCTION = '@node.register\ndef twice(n: int) -> int:\n    return 2 * n\n'

test.each<[string, string, string, string]>([
  ['a syntax error', 'bad.py', 'def broken(:\n', 'Correct bad.py, then: easynet serve bad.py'],
  ['no ComputeNode', 'plain.py', 'def twice(n): return 2 * n\n', 'node.serve()'],
  ['no serve()', 'silent.py', NODE + FUNCTION, 'node.serve()'],
  ['a syntax error', 'bad.ts', 'export const broken = (', 'Correct bad.ts, then: easynet serve bad.ts'],
  ['no exports', 'no exports.ts', 'const a = 1\n', "then: easynet serve 'no exports.ts'"],
])('%s in a file ends serve at once, with a way on (%s)', async (_, name, content, way) => {
  const { code, stdout, stderr }: Ended = await serve(name, content).ended
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr.split('\n').slice(-4).join('\n')).toMatch(/^Error: .+\nWhy: .+\nTry: .+\n$/)
  expect(stderr).toContain(`Error: ${name} cannot be served as it is.`)
  expect(stderr.split('cannot be served')).toHaveLength(2)
  expect(stderr).toContain(way)
})
