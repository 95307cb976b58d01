import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { type CallArguments, readArguments } from '../../../src/cli/call-arguments.ts'

const read = (words: string[], list?: string, stdin = ''): Promise<CallArguments> =>
  readArguments(words, list, Readable.from([stdin]))

test.each<[string, string[], CallArguments]>([
  ['nothing', [], { args: [], kwargs: {} }],
  ['text', ['世界'], { args: ['世界'], kwargs: {} }],
  ['several texts', ['a', 'b'], { args: ['a', 'b'], kwargs: {} }],
  ['key=text', ['name=Ada', 'n=1'], { args: [], kwargs: { name: 'Ada', n: '1' } }],
  ['an empty value', ['name='], { args: [], kwargs: { name: '' } }],
  ['a value with =', ['q=a=b'], { args: [], kwargs: { q: 'a=b' } }],
  ['key:=json', ['n:=1', 'o:={"a":[true]}'], { args: [], kwargs: { n: 1, o: { a: [true] } } }],
  ['bytes in JSON', ['b:={"$bytes":"AQI="}'], { args: [], kwargs: { b: new Uint8Array([1, 2]) } }],
  ['both', ['text', 'n:=1'], { args: ['text'], kwargs: { n: 1 } }],
  [
    'what only looks like a pair',
    ['1+1=2', 'a b=c', 'https://x/?a=b'],
    { args: ['1+1=2', 'a b=c', 'https://x/?a=b'], kwargs: {} },
  ],
])('%s', async (_, words, expected) => expect(await read(words)).toEqual(expected))

test('key@=file sends the bytes of a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'easynet-args-'))
  writeFileSync(join(folder, 'x.bin'), new Uint8Array([0, 255]))
  const { kwargs } = await read([`data@=${join(folder, 'x.bin')}`])
  expect(kwargs['data']).toEqual(Buffer.from([0, 255]))
  rmSync(folder, { recursive: true })
})

test('--args gives positional arguments before the others', async () => {
  expect(await read(['x'], '[1, {"a": 2}]')).toEqual({ args: [1, { a: 2 }, 'x'], kwargs: {} })
})

test('- reads JSON: an object by name, anything else as one argument', async () => {
  expect(await read(['-'], undefined, '{"w": 3, "__proto__": 1}')).toMatchObject({
    args: [],
    kwargs: { w: 3 },
  })
  expect(await read(['-'], undefined, '[1, 2]')).toEqual({ args: [[1, 2]], kwargs: {} })
  expect(await read(['-'], undefined, '"hi"\n')).toEqual({ args: ['hi'], kwargs: {} })
})

test.each<[string, string[], string | undefined]>([
  ['JSON that is none', ['n:=x'], undefined],
  ['a list that is none', [], '{}'],
  ['a file that is not there', ['b@=/nowhere/x'], undefined],
  ['a name twice', ['a=1', 'a=2'], undefined],
  ['stdin twice', ['-', '-'], undefined],
])('refuses %s', async (_, words, list) => {
  await expect(read(words, list)).rejects.toMatchObject({
    reason: 'invalid_request',
    hint: expect.any(String) as string,
  })
})
