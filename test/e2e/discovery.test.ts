import { expect, test } from 'vitest'
import { connect } from '../../src/sdk/index.ts'
import { eventually } from '../integration/support/eventually.ts'
import { type Daemon, startDaemon } from './support/daemon.ts'
import { addressOf, untilKnown } from './support/mesh.ts'

interface PeerSeen {
  name: string
  peerId: string
  connected: boolean
}

async function peersOf(daemon: Daemon): Promise<PeerSeen[]> {
  const { peers } = (await (await daemon.fetch('/v1/peers')).json()) as { peers: PeerSeen[] }
  return peers
}

test('daemons of one local network find each other without any address', async () => {
  const args = ['--api', '127.0.0.1:0', '--listen', '/ip4/0.0.0.0/tcp/0']
  await using first = await startDaemon({ onlyArgs: true, args: [...args, '--name', 'first'] })
  await using second = await startDaemon({ onlyArgs: true, args: [...args, '--name', 'second'] })
  await eventually(async () => {
    const peer = (await peersOf(second)).find((candidate) => candidate.peerId === first.peerId)
    return peer?.connected === true && peer.name === 'first'
  }, 30_000)
  await using app = await connect({ home: first.home })
  await app.register('near', () => 'here')
  await untilKnown(second, 'near')
  await using client = await connect({ home: second.home })
  expect(await client.call('first/near')).toBe('here')
})

test('functions that come and go are known to the mesh within seconds', async () => {
  await using boot = await startDaemon()
  const bootstrap = ['--bootstrap', addressOf(boot)]
  await using provider = await startDaemon({ args: bootstrap })
  await using other = await startDaemon({ args: bootstrap })
  await using app = await connect({ home: provider.home })
  await app.register('here.today', () => 1, { description: 'Comes and goes', tags: ['test'] })
  await untilKnown(other, 'here.today')
  await app.unregister('here.today')
  await eventually(async () => {
    const { functions } = (await (await other.fetch('/v1/functions')).json()) as { functions: unknown[] }
    return functions.length === 0
  })
})

test('a blocked peer is disconnected, stays out after a restart, and comes back when unblocked', async () => {
  await using boot = await startDaemon({ args: ['--name', 'boot'] })
  await using guest = await startDaemon({ args: ['--name', 'guest', '--bootstrap', addressOf(boot)] })
  const isConnected = async (daemon: Daemon): Promise<boolean> =>
    (await peersOf(daemon)).some((peer) => peer.peerId === guest.peerId && peer.connected)
  const block = async (daemon: Daemon, blocked: boolean): Promise<void> => {
    const response = await daemon.fetch(`/v1/peers/${guest.peerId}/block`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ blocked }),
    })
    expect(response.status).toBe(200)
  }
  await eventually(async () => isConnected(boot))
  await block(boot, true)
  await eventually(async () => !(await isConnected(boot)))
  const [, , , , port] = addressOf(boot).split('/')
  await boot.stop()
  await using again = await startDaemon({
    home: boot.home,
    onlyArgs: true,
    args: ['--api', '127.0.0.1:0', '--no-mdns', '--listen', `/ip4/127.0.0.1/tcp/${port}`],
  })
  // The guest keeps dialling its bootstrap; its attempts are refused.
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  expect(await isConnected(again)).toBe(false)
  await block(again, false)
  await eventually(async () => isConnected(again), 40_000)
})
