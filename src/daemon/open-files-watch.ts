import type { Logger } from '../telemetry/logger.ts'
import { openFileLimit, openFiles } from '../util/open-files.ts'

const INTERVAL_MS = 2_000
/** Of the limit: above it people are told, below the other that it is over. */
const HIGH = 0.9
const LOW = 0.75

/** Tells when hardly another file or connection can be opened: then the system turns new ones away. */
export function createOpenFilesWatch(logger: Logger): Disposable {
  // Read now, since reading needs one too.
  const limit = openFileLimit() ?? Infinity
  let isExhausted = false
  const timer = setInterval(() => {
    const counted = openFiles()
    if (counted === undefined) return
    const open = counted === 'all' ? limit : counted
    if (!isExhausted && open >= HIGH * limit) {
      isExhausted = true
      logger.error({ open, limit }, 'the limit of open files is reached: new connections are turned away')
    } else if (isExhausted && open < LOW * limit) {
      isExhausted = false
      logger.info({ open, limit }, 'open files are far from their limit again')
    }
  }, INTERVAL_MS)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
