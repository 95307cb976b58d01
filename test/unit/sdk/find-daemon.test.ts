import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findDaemon } from '../../../src/sdk/find-daemon.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'easynet-find-'))
  mkdirSync(join(home, 'run'))
})
afterEach(() => rmSync(home, { recursive: true }))

const daemonFile = (): string => join(home, 'run', 'daemon.json')

test('the daemon is found by its files, in the given home or that of the environment', async () => {
  writeFileSync(
    daemonFile(),
    JSON.stringify({ url: 'http://127.0.0.1:1', socket: '/s', pid: 7, extra: true }),
  )
  writeFileSync(join(home, 'run', 'token'), 'secret\n')
  const found = { url: 'http://127.0.0.1:1', socket: '/s', pid: 7, token: 'secret', source: daemonFile() }
  expect(await findDaemon({ home }, {})).toEqual(found)
  expect(await findDaemon({}, { EASYNET_HOME: home })).toEqual(found)
})

test('without a daemon the error names the file and the remedy', async () => {
  await expect(findDaemon({ home }, {})).rejects.toMatchObject({
    reason: 'daemon_unreachable',
    message: expect.stringContaining(daemonFile()) as string,
    hint: `easynet up --home ${home}`,
    details: { lookedFor: daemonFile() },
  })
})

test('a damaged file is not taken for a daemon', async () => {
  for (const text of ['{', '{"url":1}']) {
    writeFileSync(daemonFile(), text)
    await expect(findDaemon({ home }, {})).rejects.toMatchObject({ reason: 'daemon_unreachable' })
  }
})

test('a url needs a token', async () => {
  const url = 'http://10.0.0.1:8080'
  expect(await findDaemon({ url, token: 't' }, {})).toEqual({ url, token: 't' })
  expect(await findDaemon({ url }, { EASYNET_TOKEN: 'e' })).toEqual({ url, token: 'e' })
  await expect(findDaemon({ url }, {})).rejects.toMatchObject({ reason: 'unauthenticated' })
})
