import { expect, test } from 'vitest'
import type { MeshNode } from '../../src/daemon/index.ts'
import { createTestnet } from '../../src/daemon/testing.ts'
import { eventually } from './support/eventually.ts'

// Byte strings travel beside their value from 16 KiB on, calls on a stream of their own from 64 KiB on:
// everything between and around those two has to arrive as well.
test('byte strings of every size arrive, there and back', async () => {
  await using testnet = await createTestnet(2)
  const [provider, caller] = testnet.nodes as [MeshNode, MeshNode]
  provider.register('bytes.echo', (bytes: Uint8Array) => bytes)
  await eventually(() => caller.api.functions({ scope: 'mesh' }).some((fn) => fn.name === 'bytes.echo'))
  for (const kib of [0, 15, 16, 17, 36, 63, 64, 65, 300]) {
    const bytes = Uint8Array.from({ length: kib * 1024 }, (_, index) => index * 7)
    const echoed = (await caller.call('bytes.echo', [bytes])) as Uint8Array
    expect(Buffer.compare(echoed, bytes), `${kib} KiB`).toBe(0)
  }
})
