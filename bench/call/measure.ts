import { type Client, PART_BYTES } from './system.ts'

/** One thing to measure. */
export type Step =
  /** One call after the other. */
  | { kind: 'sequential'; bytes: number; seconds: number }
  /** Always `inFlight` calls on their way. */
  | { kind: 'parallel'; bytes: number; inFlight: number; seconds: number }
  | { kind: 'upload'; mebibytes: number }

/** Results by column of the table. */
export type Result = Record<string, number>

export async function measure(client: Client, step: Step): Promise<Result> {
  switch (step.kind) {
    case 'sequential':
      return sequential(client, step.bytes, step.seconds)
    case 'parallel':
      return parallel(client, step.bytes, step.inFlight, step.seconds)
    case 'upload':
      return upload(client, step.mebibytes)
  }
}

async function sequential(client: Client, bytes: number, seconds: number): Promise<Result> {
  const payload = new Uint8Array(bytes).fill(1)
  const latencies: number[] = []
  const until = performance.now() + seconds * 1000
  for (let before = performance.now(); before < until;) {
    await client.echo(payload)
    const after = performance.now()
    latencies.push(after - before)
    before = after
  }
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => (latencies[Math.floor(latencies.length * share)] ?? 0) * 1000
  return { p50: at(0.5), p99: at(0.99) }
}

async function parallel(client: Client, bytes: number, inFlight: number, seconds: number): Promise<Result> {
  const payload = new Uint8Array(bytes).fill(1)
  let calls = 0
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  const lane = async (): Promise<void> => {
    while (performance.now() < until) {
      await client.echo(payload)
      calls += 1
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return { perSecond: (calls / (performance.now() - startedAt)) * 1000 }
}

async function upload(client: Client, mebibytes: number): Promise<Result> {
  const startedAt = performance.now()
  await client.upload((mebibytes * 1024 * 1024) / PART_BYTES)
  return { megabytesPerSecond: (mebibytes * 1.048576) / ((performance.now() - startedAt) / 1000) }
}
