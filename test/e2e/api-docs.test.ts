import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiDocument, operationsOf } from '../../scripts/api-docs/document.ts'
import { eventually } from '../integration/support/eventually.ts'
import { CHECKOUT, run, type RunningCommand, start } from './support/commands.ts'
import { type Daemon, startDaemon } from './support/daemon.ts'
import { addressOf } from './support/mesh.ts'
import { createConformance } from './support/openapi/conformance.ts'

// Runs docs/api.md from top to bottom: the setup, then the commands of every operation, as a reader would.

const text = readFileSync(join(CHECKOUT, 'docs/api.md'), 'utf8')
const block = (tag: string): string =>
  new RegExp(`^<!-- ${tag} -->\\n\`\`\`\\w+\\n([^]*?)^\`\`\`$`, 'm').exec(text)?.[1] ?? ''
const document = await apiDocument()
const operations = operationsOf(document)
const conformance = createConformance(document)

let laptop: Daemon
let desk: Daemon
let serving: RunningCommand
const folder = mkdtempSync(join(tmpdir(), 'ezn-'))

beforeAll(async () => {
  laptop = await startDaemon({ args: ['--name', 'laptop'] })
  desk = await startDaemon({ args: ['--name', 'desk', '--bootstrap', addressOf(laptop)] })
  symlinkSync(join(CHECKOUT, 'node_modules'), join(folder, 'node_modules'))
  symlinkSync(join(CHECKOUT, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(CHECKOUT, 'src'), join(folder, 'src'))
  writeFileSync(join(folder, 'functions.ts'), block('file functions.ts'))
  serving = start('easynet', ['serve', 'functions.ts'], { cwd: folder, env: { EASYNET_HOME: laptop.home } })
  await serving.says('Serving')
  await eventually(async () => (await (await laptop.fetch('/v1/peers')).text()).includes('desk'), 20_000)
})
afterAll(async () => {
  await serving?.stop()
  await desk?.[Symbol.asyncDispose]()
  await laptop?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

// In the order of the page, so that the daemon is stopped last.
const inOrder = operations
  .map((one) => ({ ...one, at: text.indexOf(`<!-- run ${one.operation.operationId} -->`) }))
  .sort((a, b) => a.at - b.at)

test('every operation has commands, and stopping the daemon comes last', () => {
  expect(inOrder.filter(({ at }) => at === -1)).toEqual([])
  expect(inOrder.at(-1)?.operation.operationId).toBe('stopDaemon')
})

test.each(inOrder.map((one) => [`${one.method} ${one.path}`, one] as const))(
  'the commands of %s work',
  async (_, { operation }) => {
    const script = block('setup') + block(`run ${operation.operationId}`)
    const ended = await run('sh', ['-e', '-c', script], {
      cwd: folder,
      env: { EASYNET_HOME: laptop.home, TMPDIR: folder },
    })
    // 28: curl's time was over. Right for what has no end, and for nothing else.
    const isEndless = / -m \d/.test(script)
    expect(ended, script).toMatchObject({ code: isEndless ? 28 : 0 })
    expect(ended.stdout + ended.stderr).not.toContain(laptop.token)
    const [status, documented] = Object.entries(operation.responses).find(([one]) => Number(one) < 400) ?? []
    const types = Object.keys(documented?.content ?? {})
    const lines = ended.stdout.split('\n')
    if (status === '204') expect(ended.stdout.trim()).toBe('')
    if (status === '101') expect(ended.stdout).toMatch(/^HTTP\/1\.1 101 [^]*Upgrade: easynet/)
    if (types.includes('text/plain')) expect(ended.stdout).toContain('# HELP')
    if (types.includes('application/json')) {
      const bodies = lines.filter((line) => line.startsWith('{'))
      expect(bodies.length).toBeGreaterThan(0)
      const { schema = {} } = documented?.content?.['application/json'] ?? {}
      for (const body of bodies) expect(conformance.failures(schema, JSON.parse(body)), body).toEqual([])
    }
    if (types.includes('text/event-stream')) {
      const stream = lines.filter((line) => !line.startsWith('{')).join('\n')
      expect(stream).toContain('\nevent: ')
      expect(eventProblems(operation, stream)).toEqual([])
    }
  },
)

function eventProblems(operation: (typeof operations)[number]['operation'], body: string): string[] {
  const headers = { 'content-type': 'text/event-stream', 'x-easynet-call-id': '' }
  return conformance.problemsOf(operation, 'GET', {
    status: 200,
    headers,
    body: Buffer.from(body),
    ended: false,
  })
}
