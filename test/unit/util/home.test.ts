import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { locateHome } from '../../../src/util/home.ts'

test('one folder holds everything when it is given', () => {
  const home = locateHome('some/dir', { EASYNET_HOME: '/other', XDG_STATE_HOME: '/state' })
  const root = resolve('some/dir')
  expect(home).toMatchObject({
    root,
    configFile: join(root, 'config.toml'),
    keyFile: join(root, 'state', 'identity.key'),
    databaseFile: join(root, 'state', 'easynet.db'),
    daemonFile: join(root, 'run', 'daemon.json'),
    tokenFile: join(root, 'run', 'token'),
    socketFile: join(root, 'run', 'api.sock'),
  })
})

test('EASYNET_HOME counts when no folder is given', () => {
  expect(locateHome(undefined, { EASYNET_HOME: '/other' }).root).toBe('/other')
  expect(locateHome(undefined, { EASYNET_HOME: '' }).root).toBeUndefined()
})

test('otherwise the XDG folders are used', () => {
  const env = { XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s', XDG_RUNTIME_DIR: '/r' }
  expect(locateHome(undefined, env)).toMatchObject({
    configFile: '/c/easynet/config.toml',
    stateDir: '/s/easynet',
    runDir: '/r/easynet',
  })
})

test('without XDG variables the folders are those of the home folder', () => {
  expect(locateHome(undefined, {})).toMatchObject({
    configFile: join(homedir(), '.config/easynet/config.toml'),
    stateDir: join(homedir(), '.local/state/easynet'),
    runDir: join(homedir(), '.local/state/easynet/run'),
  })
})

test('XDG variables that are empty or relative are ignored, as the specification says', () => {
  const env = { XDG_CONFIG_HOME: '', XDG_STATE_HOME: 'relative', XDG_RUNTIME_DIR: '' }
  expect(locateHome(undefined, env)).toEqual(locateHome(undefined, {}))
})
