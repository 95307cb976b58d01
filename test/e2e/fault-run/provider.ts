// The program whose functions leave effects on disk: `node provider.ts <home> <effects file>`.
import { setTimeout as wait } from 'node:timers/promises'
import type { CallContext } from '../../../src/sdk/index.ts'
import { connectSoon } from './connect-soon.ts'
import { appendDurably } from './records.ts'

const [home, effects] = process.argv.slice(2) as [string, string]

async function work(n: number, workMs: number, { callId }: CallContext): Promise<number> {
  appendDurably(effects, { step: 'start', n, id: callId })
  await wait(workMs)
  appendDurably(effects, { step: 'end', n, id: callId })
  return n
}

const mesh = await connectSoon(home)
await mesh.register('once', work)
await mesh.register('again', work, { idempotent: true })
process.stdout.write('ready\n')
