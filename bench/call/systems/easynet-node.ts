import { join } from 'node:path'
import { createNode } from '../../../src/daemon/index.ts'
import { checkUpload, partsOf, type System, untilAnswered } from '../system.ts'

// Two nodes through `easynet/node`. `journaled` is the default of a function, which runs at most once
// across crashes: two fsyncs a call. The others are compared with `idempotent`, as they promise no more.

export const easynetNode = systemWith({ idempotent: true })
export const easynetNodeJournaled = systemWith({ idempotent: false })

function systemWith({ idempotent }: { idempotent: boolean }): System {
  return {
    async serve({ folder }) {
      const node = await createNode({ home: join(folder, 'provider'), name: 'provider' })
      node.register('echo', (bytes: Uint8Array) => bytes, { idempotent, maxConcurrent: 1_000 })
      node.register(
        'upload',
        async ({ input }: { input: AsyncIterable<unknown> }) => {
          let received = 0
          for await (const part of input) received += (part as Uint8Array).length
          return received
        },
        { clientStream: true },
      )
      return { address: node.addresses[0] ?? '' }
    },
    async connect({ folder }, { address = '' }) {
      const node = await createNode({ home: join(folder, 'caller'), name: 'caller', bootstrap: [address] })
      return untilAnswered({
        echo: async (bytes) => node.call('echo', [bytes]),
        async upload(parts) {
          const input = (async function* () {
            yield* partsOf(parts)
          })()
          checkUpload((await node.call('upload', [], { input })) as number, parts)
        },
      })
    },
  }
}
