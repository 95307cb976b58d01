import { constants } from 'node:os'
import type { Logger } from '../telemetry/logger.ts'
import { INTERNAL } from './exit.ts'

export interface LifecycleComponents {
  logger: Logger
  /** SIGHUP. */
  reload: () => void
  /** Removes what must not outlive the process; called synchronously when it is cut off. */
  abandon: () => void
}

/** When the process has to stop. Disposing lets go of the signals. */
export interface Lifecycle extends Disposable {
  /** Aborts at the first SIGTERM or SIGINT, or when `stop` is called. */
  readonly stopping: AbortSignal
  /** As SIGTERM. */
  stop(why: string): void
  /** Resolves once `stopping` has aborted. */
  stopped(): Promise<void>
}

/**
 * Listens to the process: the first SIGTERM or SIGINT asks for a graceful stop, the second ends the
 * process at once (143, 130). Errors that nobody handled are logged and end it with 70: its state is
 * not known any more, and a supervisor starts a fresh one.
 */
export function createLifecycle({ logger, reload, abandon }: LifecycleComponents): Lifecycle {
  const controller = new AbortController()
  const stop = (why: string): void => {
    if (controller.signal.aborted) return
    logger.info({ why }, 'stopping')
    controller.abort()
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) return stop(signal)
    logger.warn({ signal }, 'aborted by a second signal')
    abandon()
    process.exit(128 + constants.signals[signal])
  }
  const onBug = (error: unknown): void => {
    logger.fatal({ err: error }, 'an error was not handled')
    abandon()
    process.exit(INTERNAL)
  }
  const listeners = [
    ['SIGTERM', onSignal],
    ['SIGINT', onSignal],
    ['SIGHUP', reload],
    ['uncaughtException', onBug],
    ['unhandledRejection', onBug],
  ] as const
  for (const [event, listener] of listeners) process.on(event, listener)
  return {
    stopping: controller.signal,
    stop,
    async stopped() {
      if (controller.signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      controller.signal.addEventListener('abort', () => resolve(), { once: true })
      await promise
    },
    [Symbol.dispose]() {
      for (const [event, listener] of listeners) process.off(event, listener)
    },
  }
}
