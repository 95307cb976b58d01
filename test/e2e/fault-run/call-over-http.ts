import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { EasyNetError, type ErrorData } from '../../../src/sdk/index.ts'

const RETRY_MS = 100

interface Body {
  fn: string
  args: unknown[]
  key?: string
}

/**
 * A call by `POST /v1/calls`, repeated while the daemon is away. That is safe only with a key, or for a
 * function that may run twice.
 */
export async function callOverHttp(home: string, body: Body, deadlineMs: number): Promise<unknown> {
  const until = performance.now() + deadlineMs
  while (true) {
    const timeoutMs = Math.max(1, Math.round(until - performance.now()))
    try {
      return await post(home, { ...body, timeoutMs })
    } catch (error) {
      if (error instanceof EasyNetError) throw error
      // The daemon is away, or died before it answered.
      if (performance.now() >= until) throw new EasyNetError('deadline_exceeded', 'The daemon stayed away.')
      await wait(RETRY_MS)
    }
  }
}

async function post(home: string, body: Body & { timeoutMs: number }): Promise<unknown> {
  const { url } = JSON.parse(readFileSync(join(home, 'run', 'daemon.json'), 'utf8')) as { url: string }
  const token = readFileSync(join(home, 'run', 'token'), 'utf8')
  const response = await fetch(new URL('/v1/calls', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as { result: unknown; error?: ErrorData }
  if (answer.error === undefined) return answer.result
  // A new daemon has a new token: its file may be a moment older than its port.
  if (answer.error.reason === 'unauthenticated') throw new Error('the token was of an earlier daemon')
  throw EasyNetError.fromData(answer.error)
}
