import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'
import type { MeshNode } from '../../../src/daemon/index.ts'

/** True for the long form, which the nightly run takes. */
export const isFull = process.env['HOSTILE_FULL'] === '1'

/** A number of repetitions: a part by day, all by night. */
export function times(full: number, short: number): number {
  return isFull ? full : short
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Resident bytes after garbage collection. */
export async function residentBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    collectGarbage()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return process.memoryUsage.rss()
}

/** Bytes in use: what the allocator keeps for itself is not counted, nor is it a leak. */
export async function liveBytes(): Promise<number> {
  await residentBytes()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

export const MiB = 1024 * 1024

/** What must hold whatever the attacker does: no crash, no stray rejection, honest calls answered. */
export interface Watch extends AsyncDisposable {
  /** Ends the honest caller and checks everything. @param grownBy - most bytes more than at the start */
  finish(grownBy: number): Promise<{ calls: number; slowestMs: number }>
}

/** Lets an honest caller call `text.upper` all the time, and counts what goes wrong. */
export async function watch(caller: MeshNode): Promise<Watch> {
  const before = await residentBytes()
  const stray: unknown[] = []
  const failed: unknown[] = []
  const note = (error: unknown): void => void stray.push(error)
  process.on('unhandledRejection', note)
  process.on('uncaughtException', note)
  let stopped = false
  let calls = 0
  let slowestMs = 0
  const loop = async (): Promise<void> => {
    while (!stopped) {
      const startedAt = performance.now()
      try {
        expect(await caller.call('text.upper', ['honest'], { timeoutMs: 10_000 })).toBe('HONEST')
      } catch (error) {
        failed.push(error)
      }
      calls += 1
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const running = loop()
  const stop = async (): Promise<void> => {
    stopped = true
    await running
    process.off('unhandledRejection', note)
    process.off('uncaughtException', note)
  }
  return {
    async finish(grownBy) {
      await stop()
      expect(stray).toEqual([])
      expect(failed).toEqual([])
      expect(calls).toBeGreaterThan(0)
      expect((await residentBytes()) - before).toBeLessThan(grownBy)
      return { calls, slowestMs }
    },
    [Symbol.asyncDispose]: stop,
  }
}
