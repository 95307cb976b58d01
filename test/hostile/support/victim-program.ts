// The functions of the daemon that is attacked, as a process of their own: `node victim-program.ts <home>`.
// Every line that it writes is one run of a function that must run once.
import { setTimeout as wait } from 'node:timers/promises'
import { connect, fn } from '../../../src/sdk/index.ts'

const mesh = await connect({ home: process.argv[2] as string })
const note = (line: string): void => void process.stdout.write(`${line}\n`)

await mesh.register(fn('text.upper', { idempotent: true, run: (text: string) => text.toUpperCase() }))
await mesh.register(fn('echo', { idempotent: true, run: (value: unknown) => value }))
await mesh.register('once', (name: string) => {
  note(`ran ${name}`)
  return name
})
await mesh.register('wait', async (ms: number) => wait(ms, ms))
await mesh.register(fn('make', { idempotent: true, run: (bytes: number) => new Uint8Array(bytes) }))
await mesh.register('flood', function* (chunks: number, bytes: number) {
  for (let n = 0; n < chunks; n += 1) yield new Uint8Array(bytes)
})
await mesh.register(
  fn('never.reads', {
    clientStream: true,
    run: async (_none: unknown, ctx: { signal: AbortSignal }) =>
      wait(60_000, null, { signal: ctx.signal }).catch(() => null),
  }),
)
note('ready')
