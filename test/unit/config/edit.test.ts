import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { setConfigValue } from '../../../src/config/edit.ts'
import { tempDir } from '../storage/temp-dir.ts'

/** The file after `set key value` for each pair. */
function edited(before: string, ...pairs: [key: string, text: string][]): string {
  const file = join(tempDir(), 'config.toml')
  writeFileSync(file, before)
  for (const [key, text] of pairs) setConfigValue(file, key, text)
  return readFileSync(file, 'utf8')
}

test('makes the file, which only the user can read', () => {
  const file = join(tempDir(), 'new', 'config.toml')
  setConfigValue(file, 'network.listen', '/ip4/127.0.0.1/tcp/1,/ip4/127.0.0.1/tcp/2')
  expect(readFileSync(file, 'utf8')).toBe(
    '[network]\nlisten = [ "/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/tcp/2" ]\n',
  )
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('changes one line and keeps comments, order and the rest', () => {
  const before =
    '# mine\nname = "desk" # the big one\n\n[network]\n# quiet\nmdns = true\n\n[log]\nlevel = "warn"\n'
  expect(edited(before, ['network.mdns', 'off'], ['name', 'lab'], ['network.relay', 'true'])).toBe(
    '# mine\nname = "lab"\n\n[network]\nrelay = true\n# quiet\nmdns = false\n\n[log]\nlevel = "warn"\n',
  )
})

test('puts a top-level key before the sections, and a new section at the end', () => {
  expect(edited('[log]\nlevel = "warn"', ['name', 'lab'], ['calls.maxRunning', '5'])).toBe(
    'name = "lab"\n[log]\nlevel = "warn"\n\n[calls]\nmaxRunning = 5\n',
  )
})

const FORMS = [
  '[network]\nlisten = [\n  "/ip4/127.0.0.1/tcp/1",\n]\nmdns = false\n',
  'network = { listen = ["/ip4/127.0.0.1/tcp/1"], mdns = false }\n',
  'network.listen = ["/ip4/127.0.0.1/tcp/1"]\nnetwork.mdns = false\n',
]
test.each(FORMS)('is right for every way to write it: %j', (before) => {
  const after = parse(edited(before, ['network.listen', '/ip4/127.0.0.1/tcp/9']))
  expect(after).toEqual({ network: { listen: ['/ip4/127.0.0.1/tcp/9'], mdns: false } })
})

test('whatever is set one after the other is in the file', () => {
  const pair = fc.constantFrom<[string, string]>(
    ['name', 'a'],
    ['name', 'b "c"'.replaceAll('"', "'")],
    ['network.mdns', 'false'],
    ['network.relay', 'true'],
    ['network.mdns', 'true'],
    ['log.level', 'debug'],
    ['calls.maxRunning', '7'],
    ['api.listen', '127.0.0.1:1'],
  )
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 8 }), (pairs) => {
      const tree = parse(edited('', ...pairs)) as Record<string, Record<string, unknown>>
      for (const [key, text] of new Map(pairs)) {
        const [section = '', name] = key.split('.')
        const value = name === undefined ? tree[section] : tree[section]?.[name]
        expect(String(value)).toBe(text)
      }
    }),
    { numRuns: 50 },
  )
})

test('writes nothing that would not be valid', () => {
  const file = join(tempDir(), 'config.toml')
  const set = (key: string, text: string) => () => setConfigValue(file, key, text)
  expect(set('network.mdsn', 'true')).toThrow(expect.objectContaining({ hint: 'Did you mean network.mdns?' }))
  expect(set('log.level', 'loud')).toThrow(expect.objectContaining({ reason: 'invalid_config' }))
  expect(set('api.listen', '0.0.0.0:1')).toThrow(expect.objectContaining({ reason: 'unsafe_bind' }))
  expect(existsSync(file)).toBe(false)
  writeFileSync(file, 'nonsense')
  expect(set('name', 'a')).toThrow(/is not valid TOML/)
  expect(readFileSync(file, 'utf8')).toBe('nonsense')
})

test('follows a link and keeps the mode of the file', () => {
  const dir = tempDir()
  mkdirSync(join(dir, 'dotfiles'))
  writeFileSync(join(dir, 'dotfiles', 'easynet.toml'), '')
  chmodSync(join(dir, 'dotfiles', 'easynet.toml'), 0o644)
  symlinkSync(join('dotfiles', 'easynet.toml'), join(dir, 'config.toml'))
  setConfigValue(join(dir, 'config.toml'), 'name', 'a')
  expect(lstatSync(join(dir, 'config.toml')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(dir, 'dotfiles', 'easynet.toml'), 'utf8')).toBe('name = "a"\n')
  expect(statSync(join(dir, 'dotfiles', 'easynet.toml')).mode & 0o777).toBe(0o644)
})
