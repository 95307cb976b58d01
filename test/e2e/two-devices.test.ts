import { afterAll, expect, test } from 'vitest'
import { run } from './support/commands.ts'
import { removeHome, temporaryHome } from './support/daemon.ts'

const homes = [temporaryHome(), temporaryHome(), temporaryHome()]
const ENV = { EASYNET_API: '127.0.0.1:0', EASYNET_LISTEN: '/ip4/0.0.0.0/tcp/0', EASYNET_MDNS: 'false' }
const NOBODY = '/ip4/127.0.0.1/tcp/9/p2p/12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2'

const easynet = (home: string | undefined, ...args: string[]) =>
  run('easynet', args, { env: { ...ENV, EASYNET_HOME: home ?? '' } })

afterAll(async () => {
  for (const home of homes) {
    await easynet(home, 'down', '--now')
    removeHome(home)
  }
})

test('the line that one device prints connects another one', async () => {
  const [first, second, third] = homes
  const up = await easynet(first, 'up', '--name', 'first')
  const line = /^ {2}easynet (up --bootstrap \S+)$/m.exec(up.stdout)?.[1] ?? ''
  expect(line).toMatch(/^up --bootstrap \/ip4\/[\d.]+\/tcp\/\d+\/p2p\/12D3Koo\w+$/)
  const other = await easynet(second, ...line.split(' '), '--bootstrap', NOBODY)
  expect(other.stdout).not.toContain('alone')
  expect(other.stderr).toBe(`${NOBODY} has not answered yet; the daemon goes on trying.\n`)
  expect((await easynet(second, 'peer', 'ls')).stdout).toContain('first')
  const lost = await easynet(third, 'up', '--bootstrap', NOBODY)
  expect(lost.stdout).toContain(`alone so far; connecting to ${NOBODY} …`)
})
