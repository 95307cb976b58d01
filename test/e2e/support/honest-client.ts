import { isDeepStrictEqual } from 'node:util'
import type { Daemon } from './daemon.ts'

/** Somebody who only wants to get work done while a test misbehaves. */
export interface HonestClient {
  /** Calls that returned what they had to. */
  served(): number
  /** What went wrong, in its words. */
  failures(): string[]
  /** Ends after the call that is on its way. */
  stop(): Promise<void>
}

/** Calls a function over HTTP, one call after the other, until it is stopped. */
export function startHonestClient(daemon: Daemon, call: object, expected: unknown): HonestClient {
  let served = 0
  let isStopped = false
  const failures: string[] = []
  const once = async (): Promise<void> => {
    try {
      const response = await daemon.fetch('/v1/calls', {
        method: 'POST',
        body: JSON.stringify(call),
        headers: { 'content-type': 'application/json' },
        signal: AbortSignal.timeout(5_000),
      })
      const text = await response.text()
      const { result } = JSON.parse(text) as { result?: unknown }
      if (response.status === 200 && isDeepStrictEqual(result, expected)) served += 1
      else failures.push(`${response.status} ${text.slice(0, 500)}`)
    } catch (error) {
      failures.push(String(error))
    }
  }
  const run = async (): Promise<void> => {
    while (!isStopped) {
      await once()
      // Leaves the processor to others: what counts is that each call is served.
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const running = run()
  return {
    served: () => served,
    failures: () => failures,
    stop() {
      isStopped = true
      return running
    },
  }
}
