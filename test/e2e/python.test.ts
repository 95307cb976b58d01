import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Mesh } from '../../src/sdk/index.ts'
import { eventually } from '../integration/support/eventually.ts'
import { type DaemonMesh, startMesh, untilKnown } from './support/mesh.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const functions = join(import.meta.dirname, 'support/functions.py')
let mesh: DaemonMesh
let serve: ChildProcess
let app: Mesh

beforeAll(async () => {
  mesh = await startMesh()
  serve = spawn(join(root, 'bin/easynet'), ['serve', functions, '--home', mesh.provider.home], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  app = await mesh.attach(mesh.caller)
  await untilKnown(mesh.caller, 'word_count', 'py_notices')
})
afterAll(async () => {
  serve?.kill('SIGTERM')
  if (serve?.exitCode === null && serve.signalCode === null) await once(serve, 'exit')
  await mesh?.[Symbol.asyncDispose]()
})

test('the SDK keeps its promises on this Python', async () => {
  const { stderr } = await run('python3', ['-m', 'unittest', 'test_easynet'], {
    cwd: join(root, 'sdk/python'),
  })
  expect(stderr).toMatch(/Ran \d{2,} tests/)
  expect(stderr).toMatch(/OK\s*$/)
})

describe('functions of a Python file, called from TypeScript over two daemons', () => {
  test('sync and async, positional and by keyword, text and bytes', async () => {
    expect(await app.call('word_count', ['one two three'])).toBe(3)
    expect(await app.call('py_async', ['you'], { kwargs: { greeting: '你好' } })).toBe('你好 you')
    expect(await app.call('py.reverse', [new Uint8Array([1, 2, 3])])).toEqual(new Uint8Array([3, 2, 1]))
  })

  test('schemas come from type hints, descriptions from docstrings', async () => {
    const [view] = await app.functions('word_count')
    expect(view).toMatchObject({
      description: 'Counts words.',
      input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
      output: { type: 'integer' },
    })
  })

  test('generators stream, and inputs stream in', async () => {
    const seen: unknown[] = []
    for await (const n of app.stream('py_count', [5])) seen.push(n)
    expect(seen).toEqual([0, 1, 2, 3, 4])
    expect(await app.call('py_sum', [], { input: [1, 2, 3, 4] })).toBe(10)
  })

  test('an exception keeps its class and message', async () => {
    await expect(app.call('py_fail')).rejects.toMatchObject({
      reason: 'function_error',
      message: 'no luck',
      details: { name: 'ValueError' },
    })
  })

  test('a function that ignores its deadline for 2 s is killed with its process, and the file starts again', async () => {
    const before = await app.call('py_pid')
    await expect(app.call('py_stubborn', [], { timeoutMs: 200 })).rejects.toMatchObject({
      reason: 'deadline_exceeded',
    })
    const after = await eventually(async () => {
      const pid = await app.call('py_pid', [], { timeoutMs: 2_000 })
      return pid !== before && pid
    }, 20_000)
    expect(after).not.toBe(before)
    expect(() => process.kill(before as number, 0)).toThrow(/ESRCH/)
  })
})

test('a Python program calls functions of other devices', async () => {
  const script = `
from easynet import Client
client = Client()
print(client.execute("word_count", "a b c d"))
print(list(client.stream("py_count", 3)))
try:
    client.execute("py_fail")
except Exception as error:
    print(type(error).__name__, error.code, error.reason)
`
  await eventually(async () => app.call('word_count', ['x']), 15_000)
  const { stdout } = await run('python3', ['-c', script], {
    env: { ...process.env, EASYNET_HOME: mesh.caller.home, PYTHONPATH: join(root, 'sdk/python') },
  })
  expect(stdout.trim().split('\n')).toEqual(['4', '[0, 1, 2]', 'EasyNetError unknown function_error'])
})

test('a file whose supervisor is killed ends as well', async () => {
  const pid = await eventually<unknown>(async () => app.call('py_pid'), 15_000)
  serve.kill('SIGKILL')
  await once(serve, 'exit')
  await eventually(() => {
    try {
      process.kill(Number(pid), 0)
      return false
    } catch {
      return true
    }
  })
})
