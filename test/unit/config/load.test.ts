import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CONFIG_KEYS, configKeys } from '../../../src/config/keys.ts'
import type { FlagSetting } from '../../../src/config/layers.ts'
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts'
import { getPath } from '../../../src/config/paths.ts'
import { configJsonSchema } from '../../../src/config/schema.ts'
import { tempDir } from '../storage/temp-dir.ts'

interface Sources {
  user?: string
  project?: string
  env?: Record<string, string>
  flags?: FlagSetting[]
}

function load({ user, project, env = {}, flags = [] }: Sources, dir = tempDir()): LoadedConfig {
  const projectDir = join(dir, 'project')
  mkdirSync(projectDir, { recursive: true })
  if (user !== undefined) writeFileSync(join(dir, 'config.toml'), user)
  if (project !== undefined) writeFileSync(join(projectDir, 'easynet.toml'), project)
  return loadConfig({ userFile: join(dir, 'config.toml'), projectDir, env, flags })
}

test('without any source everything has its default', () => {
  const { config, settings } = load({})
  expect(config).toMatchObject({
    name: expect.stringMatching(/./),
    network: { listen: ['/ip4/0.0.0.0/tcp/4677'], bootstrap: [], mdns: true, relay: false },
    api: { listen: '127.0.0.1:7677' },
    log: { level: 'info' },
    calls: { defaultTimeoutMs: 60_000, maxRunning: 1_024 },
  })
  expect(new Set(Object.values(settings).map(({ origin }) => origin))).toEqual(new Set(['default']))
})

test('every value says where it comes from', () => {
  const dir = tempDir()
  const { settings } = load(
    {
      user: 'name = "desk"\n[log]\nlevel = "debug"\n[network]\nmdns = false',
      project: '[network]\nmdns = true',
      env: {
        EASYNET_LOG_LEVEL: 'warn',
        EASYNET_LISTEN: '/ip4/127.0.0.1/tcp/1, /ip6/::1/tcp/2',
        EASYNET_RELAY: '',
      },
      flags: [{ key: 'network.listen', value: ['/ip4/127.0.0.1/tcp/0'] }],
    },
    dir,
  )
  expect(settings['name']).toEqual({ value: 'desk', origin: `file ${join(dir, 'config.toml')}:name` })
  expect(settings['network.mdns']).toEqual({
    value: true,
    origin: `file ${join(dir, 'project', 'easynet.toml')}:network.mdns`,
  })
  expect(settings['log.level']).toEqual({ value: 'warn', origin: 'env EASYNET_LOG_LEVEL' })
  expect(settings['network.listen']).toEqual({ value: ['/ip4/127.0.0.1/tcp/0'], origin: 'flag --listen' })
  expect(settings['network.relay'].origin).toBe('default')
})

test('the strongest source wins: flag, variable, project, user, default', () => {
  const levels = ['trace', 'debug', 'warn', 'error'] as const
  const sources = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean())
  fc.assert(
    fc.property(sources, (given) => {
      const [user, project, env, flag] = given
      const toml = (level: string): string => `[log]\nlevel = "${level}"`
      const { config, settings } = load({
        ...(user ? { user: toml(levels[0]) } : {}),
        ...(project ? { project: toml(levels[1]) } : {}),
        ...(env ? { env: { EASYNET_LOG_LEVEL: levels[2] } } : {}),
        ...(flag ? { flags: [{ key: 'log.level', value: levels[3] }] } : {}),
      })
      const strongest = given.lastIndexOf(true)
      expect(config.log.level).toBe(levels[strongest] ?? 'info')
      const origin = ['file', 'file', 'env', 'flag'][strongest] ?? 'default'
      expect(settings['log.level'].origin.split(' ')[0]).toBe(origin)
    }),
    { numRuns: 30 },
  )
})

const REFUSED: [name: string, sources: Sources, message: RegExp, hint?: RegExp][] = [
  [
    'a misspelt key',
    { user: '[network]\nlisten_on = []' },
    /config.toml names a setting .* network.listen_on/,
    /Did you mean network.listen\?/,
  ],
  [
    'a misplaced key',
    { user: 'mdns = false' },
    /setting that does not exist: mdns/,
    /Did you mean network.mdns\?/,
  ],
  ['an unknown section', { user: '[frobnicate]\nx = 1' }, /frobnicate/, /Settings: name, network.listen/],
  ['a wrong type', { user: 'network = 3' }, /config.toml: network is not valid/],
  ['broken TOML', { user: 'name = "desk"\nmore = = 2' }, /config.toml:2:8 is not valid TOML/],
  [
    'a bad address',
    { flags: [{ key: 'network.listen', value: ['0.0.0.0:4677'] }] },
    /flag --listen is not valid: write a TCP multiaddr/,
  ],
  ['a port too high', { env: { EASYNET_LISTEN: '/ip4/127.0.0.1/tcp/70000' } }, /env EASYNET_LISTEN/],
  [
    'a switch that is none',
    { env: { EASYNET_MDNS: 'maybe' } },
    /EASYNET_MDNS: network.mdns is true or false, not "maybe"/,
  ],
  ['no number', { env: { EASYNET_CALLS_MAX_RUNNING: '1e3' } }, /a whole number/],
  ['a number out of range', { user: '[calls]\nmaxRunning = 0' }, /config.toml:calls.maxRunning is not valid/],
  ['a name with a slash', { env: { EASYNET_NAME: 'a/b' } }, /env EASYNET_NAME is not valid/],
  [
    'a project that opens the device',
    { project: '[api]\ngateway = "0.0.0.0:80"' },
    /api.gateway, which a project may not/,
    /--gateway/,
  ],
  [
    'a bad value that loses',
    { user: '[log]\nlevel = "loud"', env: { EASYNET_LOG_LEVEL: 'warn' } },
    /config.toml:log.level/,
  ],
]
test.each(REFUSED)('refuses %s', (_, sources, message, hint = /^/) => {
  const error = expect.objectContaining({ reason: 'invalid_config', message: expect.stringMatching(message) })
  expect(() => load(sources)).toThrow(error)
  if (hint.source !== '^')
    expect(() => load(sources)).toThrow(expect.objectContaining({ hint: expect.stringMatching(hint) }))
})

test('the control API stays on the loopback interface', () => {
  const listen = (value: string) => () => load({ flags: [{ key: 'api.listen', value }] })
  expect(listen('0.0.0.0:7677')).toThrow(expect.objectContaining({ reason: 'unsafe_bind' }))
  for (const value of ['127.0.0.1:0', 'localhost:7677', '[::1]:80']) expect(listen(value)).not.toThrow()
})

test('the table of keys and the schema name the same settings', () => {
  const schema = configJsonSchema() as { properties: Record<string, { properties?: object }> }
  const inSchema = Object.entries(schema.properties).flatMap(([key, { properties }]) =>
    properties === undefined ? [key] : Object.keys(properties).map((inner) => `${key}.${inner}`),
  )
  expect(inSchema.sort()).toEqual([...configKeys].sort())
  const kinds = { text: 'string', list: 'array', switch: 'boolean', number: 'integer' }
  for (const key of configKeys) {
    const type = getPath(schema.properties, `${key.replace('.', '.properties.')}.type`)
    expect([key, type]).toEqual([key, kinds[CONFIG_KEYS[key].kind]])
  }
})
