import { deepStrictEqual } from 'node:assert/strict'
import { EasyNetError, type HttpClient, type Mesh, type Reason } from '../../src/sdk/index.ts'

/** What a call of the soak test is made with. */
export interface KindContext {
  mesh: Mesh
  api: HttpClient
  /** Name of the device that is asked. */
  peer: string
  /** Different for every call, of every process. */
  key: string
}

export interface Kind {
  name: string
  /** Calls of this kind among those of all kinds. */
  weight: number
  /** Makes one call and rejects when its verdict is not the right one. */
  run(context: KindContext): Promise<void>
}

const LARGE = 'easynet '.repeat(12_800)
const BLOB = Buffer.alloc(100 * 1024, 'easynet')
const CHUNKS = 10
/** Where the only providers come and go, these verdicts are right, and the result when there is one. */
const AWAY: readonly Reason[] = [
  'no_provider',
  'peer_unreachable',
  'interrupted',
  'draining',
  'outcome_unknown',
  'unknown_function',
  'deadline_exceeded',
]

/** All kinds of calls, each with what has to come of it. */
export const KINDS: readonly Kind[] = [
  kind('small', 6, async ({ mesh, peer, key }) => {
    deepStrictEqual(await mesh.call(`${peer}/soak.upper`, [key]), key.toUpperCase())
  }),
  kind('once', 3, async ({ mesh, peer, key }) => {
    deepStrictEqual(await mesh.call(`${peer}/soak.once`, [key]), 1)
  }),
  kind('100 KiB', 1, async ({ mesh, peer }) => {
    deepStrictEqual(await mesh.call(`${peer}/soak.echo`, [LARGE]), LARGE)
  }),
  kind('blob', 1, async ({ mesh, peer, key }) => {
    const echoed = await mesh.call<{ key: string; blob: Uint8Array }>(`${peer}/soak.echo`, [
      { key, blob: BLOB },
    ])
    deepStrictEqual([echoed.key, Buffer.compare(echoed.blob, BLOB)], [key, 0])
  }),
  kind('stream', 1, async ({ mesh, peer }) => {
    deepStrictEqual((await read(mesh, peer, Infinity)).length, CHUNKS)
  }),
  kind('left early', 1, async ({ mesh, peer }) => {
    deepStrictEqual(await read(mesh, peer, 3), [0, 1, 2])
  }),
  kind('inputs', 1, async ({ mesh, peer }) => {
    deepStrictEqual(await mesh.call(`${peer}/soak.sum`, [], { input: [1, 2, 3, 4] }), 10)
  }),
  kind('failing', 1, async ({ mesh, peer, key }) => {
    const error = await failure(mesh.call(`${peer}/soak.fail`, [key]))
    deepStrictEqual([error.reason, error.message], ['function_error', key])
  }),
  kind('cancelled', 1, async ({ mesh, peer }) => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), Math.random() * 40)
    const call = mesh.call(`${peer}/soak.wait`, [60_000], { signal: controller.signal })
    deepStrictEqual((await failure(call)).reason, 'cancelled')
  }),
  kind('timed out', 1, async ({ mesh, peer }) => {
    const call = mesh.call(`${peer}/soak.wait`, [60_000], { timeoutMs: 50 + Math.floor(Math.random() * 50) })
    deepStrictEqual((await failure(call)).reason, 'deadline_exceeded')
  }),
  kind('keyed', 1, async ({ mesh, peer, key }) => {
    const call = async () => mesh.call(`${peer}/soak.once`, [key], { key })
    deepStrictEqual([await call(), await call()], [1, 1])
  }),
  kind('asked about', 1, async ({ mesh, api, peer, key }) => {
    const { id } = await mesh.callWithInfo(`${peer}/soak.upper`, [key])
    deepStrictEqual((await api.callRecord(id)).state, 'done')
  }),
  kind('moving', 2, async ({ mesh, key }) => {
    deepStrictEqual(await mesh.call('soak.moving', [key]), key.toUpperCase())
  }),
  kind('visiting', 1, async ({ mesh, key }) => {
    try {
      deepStrictEqual(await mesh.call('soak.visiting', [key], { timeoutMs: 5_000 }), key.toUpperCase())
    } catch (error) {
      if (!(error instanceof EasyNetError) || !AWAY.includes(error.reason)) throw error
    }
  }),
]

function kind(name: string, weight: number, run: Kind['run']): Kind {
  return { name, weight, run }
}

async function read(mesh: Mesh, peer: string, most: number): Promise<number[]> {
  const chunks: number[] = []
  for await (const chunk of mesh.stream<number>(`${peer}/soak.count`, [CHUNKS])) {
    chunks.push(chunk)
    if (chunks.length === most) break
  }
  return chunks
}

async function failure(call: Promise<unknown>): Promise<EasyNetError> {
  try {
    await call
  } catch (error) {
    if (error instanceof EasyNetError) return error
    throw error
  }
  throw new Error('It returned.')
}
