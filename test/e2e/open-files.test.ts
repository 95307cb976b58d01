import { execFileSync } from 'node:child_process'
import { connect as connectTo, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { connect } from '../../src/sdk/index.ts'
import { eventually } from '../integration/support/eventually.ts'
import { run } from './support/commands.ts'
import { addressOf, startMesh, untilKnown } from './support/mesh.ts'
import { startProviderProgram } from './support/program.ts'

const LIMIT = 96
const CROWD = 200

test('a crowd that takes all open files: the daemon lives and says so, calls of its peers go on, and programs come in again', async ({
  skip,
}) => {
  if (process.platform !== 'linux') return skip('the limit of a running process can be set on Linux only')
  await using mesh = await startMesh()
  const { provider, caller } = mesh
  await using _program = await startProviderProgram(provider.home)
  const app = await mesh.attach(caller)
  await untilKnown(caller, 'upper', 'length')
  execFileSync('prlimit', ['--pid', String(provider.pid), `--nofile=${LIMIT}:${LIMIT}`])

  const crowd: Socket[] = []
  const leave = (): void => crowd.forEach((socket) => void socket.destroy())
  onTestFinished(leave)
  const peerPort = Number(addressOf(provider).split('/')[4])
  const apiPort = Number(new URL(provider.url).port)
  for (let n = 0; n < CROWD; n += 1) {
    for (const port of [peerPort, apiPort])
      crowd.push(connectTo(port, '127.0.0.1').on('error', () => undefined))
  }
  await eventually(() => /"level":"error".*the limit of open files is reached/.test(provider.stderr()))
  // Those that were connected before are served as ever, and journalled calls have their files.
  expect(await app.call('upper', ['during'])).toBe('DURING')
  expect(await app.call('length', [new Uint8Array(5)])).toBe(5)
  const doctor = await run('easynet', ['--home', provider.home, 'doctor'])
  expect(doctor.stdout).toMatch(new RegExp(`^FAIL\\topen files\\t.* of its ${LIMIT} open`, 'm'))

  leave()
  await eventually(() => /open files are far from their limit again/.test(provider.stderr()), 20_000)
  await using honest = await connect({ home: provider.home })
  expect((await honest.status()).peers).toBeGreaterThan(0)
  expect(await app.call('length', [new Uint8Array(7)])).toBe(7)
})
