import { randomUUID } from 'node:crypto'
import { createCallClient } from '../../../src/protocols/call/client.ts'
import { CALL_PROTOCOL } from '../../../src/protocols/call/constants.ts'
import { createDeadline } from '../../../src/util/signals.ts'
import type { Attacker, Target } from './attacker.ts'

const sink = { chunk: () => undefined, progress: () => undefined, log: () => undefined }

/** What our own client really sends for calls of every kind. */
export async function captureCalls(attacker: Attacker, victim: Target): Promise<Buffer[]> {
  const captured: Uint8Array[][] = []
  await using client = createCallClient({
    async openStream() {
      const { stream } = await attacker.open(victim, CALL_PROTOCOL)
      const sent: Uint8Array[] = []
      captured.push(sent)
      const send = stream.send.bind(stream)
      stream.send = (data) => {
        sent.push(Uint8Array.from(data.subarray()))
        return send(data)
      }
      return stream
    },
  })
  async function* inputs() {
    yield 1
    yield new Uint8Array(20_000)
  }
  const call = { timeoutMs: 5_000, input: false, kwargs: {}, streams: false }
  const { peerId } = victim
  using deadline = createDeadline(10_000)
  const run = async (fn: string, more: object, until = deadline): Promise<unknown> =>
    client
      .call(peerId, { ...call, id: randomUUID(), fn, args: [], inputs: undefined, ...more }, sink, until)
      .catch((error: unknown) => error)
  await run('text.upper', { args: ['a'] })
  await run('echo', {
    args: [{ list: [1, 2.5, null, true], text: '世界' }],
    kwargs: { k: new Uint8Array(100) },
  })
  await run('echo', { args: [new Uint8Array(70_000)] })
  await run('flood', { args: [3, 10], streams: true })
  using short = createDeadline(200)
  await run('never.reads', { streams: true, input: true, inputs: inputs(), timeoutMs: 200 }, short)
  await client.ask(peerId, { id: randomUUID(), ageMs: 0, once: true }, 0, deadline.signal)
  return captured.map((sent) => Buffer.concat(sent))
}
