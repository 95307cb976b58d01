import { connect, fn } from '../../../src/sdk/index.ts'
import { checkUpload, partsOf, type System, untilAnswered } from '../system.ts'

// The whole way: program → its daemon → the other daemon → the program that offers the function. The
// daemons are real `easynetd` processes, started by main.ts.

export const easynetWhole: System = {
  async serve({ home = '' }) {
    const mesh = await connect({ home })
    await mesh.register('echo', (bytes: Uint8Array) => bytes, { idempotent: true, maxConcurrent: 1_000 })
    await mesh.register(
      fn('upload', {
        clientStream: true,
        async run(_none: unknown, ctx: { input: AsyncIterable<unknown> }) {
          let received = 0
          for await (const part of ctx.input) received += (part as Uint8Array).length
          return received
        },
      }),
    )
    return {}
  },
  async connect({ home = '' }) {
    const mesh = await connect({ home })
    return untilAnswered({
      echo: async (bytes) => mesh.call('echo', [bytes]),
      async upload(parts) {
        checkUpload(await mesh.call('upload', [null], { input: partsOf(parts) }), parts)
      },
    })
  },
}
