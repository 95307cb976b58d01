// A program that offers functions, as a process of its own: `node provider.ts <home> <folder>`.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect, fn } from '../../../src/sdk/index.ts'

const [home, folder] = process.argv.slice(2) as [string, string]
const mesh = await connect({ home })
const note = (line: string): void => appendFileSync(join(folder, 'effects'), `${line}\n`)

await mesh.register(
  fn('upper', { idempotent: true, maxConcurrent: 1_000, run: (text: string) => text.toUpperCase() }),
)
await mesh.register('length', (bytes: Uint8Array) => bytes.length)
await mesh.register('count', function* (to: number) {
  for (let n = 1; n <= to; n += 1) yield n
  return to
})
await mesh.register(
  fn('flood', {
    stream: true,
    *run(chunks: number) {
      const chunk = new Uint8Array(1024 * 1024).fill(5)
      for (let n = 0; n < chunks; n += 1) yield chunk
    },
  }),
)
await mesh.register(
  fn('sum', {
    clientStream: true,
    async run(_none: unknown, ctx: { input: AsyncIterable<unknown> }) {
      let sum = 0
      for await (const n of ctx.input) sum += n as number
      return sum
    },
  }),
)
await mesh.register(
  fn('double.each', {
    stream: true,
    clientStream: true,
    async *run(_none: unknown, ctx: { input: AsyncIterable<unknown> }) {
      for await (const n of ctx.input) yield (n as number) * 2
    },
  }),
)
await mesh.register('effect', async (name: string, delayMs: number) => {
  note(`start ${name}`)
  await wait(delayMs)
  note(`end ${name}`)
  return name
})
await mesh.register(
  fn('slow.pid', {
    idempotent: true,
    async run() {
      note('start slow.pid')
      return wait(1_500, process.pid)
    },
  }),
)
await mesh.register('watch.cancel', async (name: string, ctx: { signal: AbortSignal }) => {
  note(`start ${name}`)
  ctx.signal.addEventListener('abort', () => note(`abort ${name}`))
  await wait(60_000, undefined, { signal: ctx.signal })
})
await mesh.register(
  fn('one.at.a.time', { maxConcurrent: 1, maxQueue: 1, run: async (ms: number) => wait(ms, ms) }),
)
await mesh.register('pid', () => process.pid)
process.stdout.write('ready\n')
