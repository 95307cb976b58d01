import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fullProgram, leavesOf } from '../unit/cli/reference.ts'
import { type Ended, run } from './support/commands.ts'
import { type Daemon, removeHome, startDaemon, temporaryHome } from './support/daemon.ts'

// Every command of the program, also one that is added later: `--json` in a pipe is one document.
const program = await fullProgram('en')
const leaves = leavesOf(program).map(({ command, path }) => ({
  line: path.join(' '),
  path,
  needed: command.registeredArguments.filter(({ required }) => required).map(() => 'x'),
}))
const groups = program.commands.filter(({ commands }) => commands.length > 0).map((group) => group.name())

/** Words for commands that would do more than answer, or whose answer without them is an error. */
const WORDS: Record<string, string[]> = {
  call: ['nobody.offers.this', '--timeout', '2s'],
  serve: ['no-such-file.ts'],
  'fn search': ['x'],
  'config get': ['network.mdns'],
  'config set': ['log.level', 'warn'],
  completion: ['bash'],
  'service install': ['--print', '--platform', 'linux'],
  'service uninstall': ['--print', '--platform', 'darwin'],
}
/** These answer with a result where a daemon runs, and not only with an error. */
const SUCCEED = [
  'status',
  'fn ls',
  'peer ls',
  'ps',
  'task ls',
  'config ls',
  'doctor',
  'key show',
  'version',
  'up',
]

let daemon: Daemon
let empty: string
let userDir: string

beforeAll(async () => {
  daemon = await startDaemon()
  empty = temporaryHome()
  userDir = temporaryHome()
  writeFileSync(join(daemon.home, 'state', 'easynetd.log'), '{"level":"info","msg":"serving"}\nnot JSON\n')
})
afterAll(async () => {
  await daemon[Symbol.asyncDispose]()
  removeHome(empty)
  removeHome(userDir)
})

/** No service manager and no folder of whoever runs the tests can be reached. */
function easynet(home: string, words: readonly string[]): Promise<Ended> {
  const env = {
    HOME: userDir,
    XDG_RUNTIME_DIR: userDir,
    XDG_CONFIG_HOME: join(userDir, 'config'),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(userDir, 'no-bus')}`,
    EASYNET_MDNS: 'off',
  }
  return run('easynet', ['--home', home, ...words, '--json'], { env })
}

interface Document {
  schema: string
  error?: { code: string; reason: string; message: string }
}

/** The only document on stdout. Fails for none, for two and for anything beside it. */
function onlyDocument({ stdout }: Ended): Document {
  expect(stdout.endsWith('\n')).toBe(true)
  expect(stdout.trimEnd().split('\n')).toHaveLength(1)
  const document = JSON.parse(stdout) as Document
  expect(document.schema).toMatch(/^[a-z-]+\/\d+$/)
  return document
}

test('the tree of commands was found', () => {
  expect(leaves.length).toBeGreaterThan(25)
  expect(Object.keys(WORDS).filter((line) => !leaves.some((leaf) => leaf.line === line))).toEqual([])
})

test.each(leaves)('a wrong option of "$line" is one error document', async ({ path, needed }) => {
  const ended = await easynet(empty, [...path, ...needed, '--no-such-option'])
  expect(onlyDocument(ended)).toMatchObject({ schema: 'error/1', error: { reason: 'invalid_request' } })
  expect(ended).toMatchObject({ code: 2, stderr: '' })
})

test.each(leaves.filter(({ line }) => line !== 'up'))(
  '"$line" without a daemon is one document',
  async ({ line, path, needed }) => {
    const ended = await easynet(empty, [...path, ...(WORDS[line] ?? needed)])
    const { schema } = onlyDocument(ended)
    expect(schema === 'error/1').toBe(ended.code !== 0 && schema !== 'doctor/1')
  },
)

test.each(leaves.filter(({ line }) => line !== 'down'))(
  '"$line" with a daemon is one document',
  async ({ line, path, needed }) => {
    const ended = await easynet(daemon.home, [...path, ...(WORDS[line] ?? needed)])
    const { schema } = onlyDocument(ended)
    if (SUCCEED.includes(line)) expect(schema).not.toBe('error/1')
  },
)

test.each([[], ['help'], ['--help'], ...groups.map((name) => [name]), ['help', 'call']])(
  'help by "%s %s" is one document',
  async (...words) => {
    expect(
      onlyDocument(
        await easynet(
          empty,
          words.filter((word) => word !== undefined),
        ),
      ),
    ).toMatchObject({
      schema: 'help/1',
    })
  },
)

test('what is no command is one error document', async () => {
  expect(onlyDocument(await easynet(empty, ['statsu'])).error?.reason).toBe('invalid_request')
})

test('the log is one document with its lines as they are', async () => {
  const ended = await easynet(daemon.home, ['logs', '-n', '2'])
  expect(onlyDocument(ended)).toMatchObject({ schema: 'logs/1', lines: [{ msg: 'serving' }, 'not JSON'] })
})

test('down stops the daemon, says so in one document, and again when there is none', async () => {
  await using own = await startDaemon()
  const down = async (): Promise<Document> => onlyDocument(await easynet(own.home, ['down']))
  expect(await down()).toEqual({ schema: 'down/1', stopped: true })
  expect(await down()).toEqual({ schema: 'down/1', stopped: false })
})
