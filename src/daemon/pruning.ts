import type { CallLog } from '../storage/call-log.ts'
import type { ExecutionJournal } from '../storage/execution-journal.ts'
import type { NodeDatabases } from '../storage/node-databases.ts'
import type { Logger } from '../telemetry/logger.ts'

export interface PruningComponents {
  journal: Pick<ExecutionJournal, 'prune'>
  callLog: Pick<CallLog, 'prune'>
  databases: {
    [name in keyof Pick<NodeDatabases, 'main' | 'journal'>]: Pick<NodeDatabases[name], 'giveBack'>
  }
  logger: Logger
}

/** A daemon that is started again and again has to get to it too. */
const FIRST_AFTER_MS = 30_000
const INTERVAL_MS = 5 * 60_000
/** Between two parts, so that a day's worth that goes at once keeps no call waiting. */
const PAUSE_MS = 50

/** Removes records whose time is over, a few at a time, and gives the disk what they took. */
export function startPruning({ journal, callLog, databases, logger }: PruningComponents): Disposable {
  const parts = [
    () => journal.prune(),
    () => callLog.prune(),
    () => databases.journal.giveBack(),
    () => databases.main.giveBack(),
  ]
  const prune = (): void => {
    let hasMore = false
    for (const part of parts) {
      try {
        hasMore ||= part()
      } catch (error) {
        logger.warn({ err: error }, 'old records could not be removed')
      }
    }
    timer = setTimeout(prune, hasMore ? PAUSE_MS : INTERVAL_MS)
  }
  let timer = setTimeout(prune, FIRST_AFTER_MS)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
