import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { startPruning } from '../../../src/daemon/pruning.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('everything is pruned in parts, soon after the start and every five minutes, though one of them fails', () => {
  const done: string[] = []
  const lines: string[] = []
  const left = { journal: 3, callLog: 1 }
  const part = (name: string, run: () => boolean) => () => {
    done.push(name)
    return run()
  }
  const pruning = startPruning({
    journal: { prune: part('journal', () => (left.journal -= 1) > 0) },
    callLog: { prune: part('calls', () => (left.callLog -= 1) > 0) },
    databases: {
      journal: {
        giveBack: part('journal file', () => {
          throw new Error('disk full')
        }),
      },
      main: { giveBack: part('file', () => false) },
    },
    logger: createLogger({ stream: { write: (line) => lines.push(line) } }),
  })
  onTestFinished(() => pruning[Symbol.dispose]())
  vi.advanceTimersByTime(31_000)
  expect(done).toEqual(['journal', 'journal', 'journal', 'calls', 'journal file', 'file'])
  expect(lines).toHaveLength(1)
  vi.advanceTimersByTime(5 * 60_000)
  expect(done.slice(6)).toEqual(['journal', 'calls', 'journal file', 'file'])
  pruning[Symbol.dispose]()
  vi.advanceTimersByTime(60 * 60_000)
  expect(done).toHaveLength(10)
})
