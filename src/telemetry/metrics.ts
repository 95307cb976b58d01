import { createCallTally, type Role } from './call-tally.ts'
import type { MetricsText, Watched } from './metrics-text.ts'

/** Is told of every call that has ended. */
export interface CallCounter {
  /** @param code - of the error; undefined when the call returned */
  ended(role: Role, fn: string, code: string | undefined, durationMs: number): void
}

/** Numbers of one node. Noting a call is cheap; what reading takes is loaded when somebody reads. */
export interface NodeMetrics extends CallCounter, Disposable {
  watch(node: Watched): void
  /** Media type of `text()`. */
  readonly contentType: string
  /** Everything in the Prometheus text format. */
  text(): Promise<string>
}

export function createMetrics(): NodeMetrics {
  let watched: Watched | undefined
  let text: Promise<MetricsText> | undefined
  const tally = createCallTally((fn) => watched?.isOwn(fn) === true)
  return {
    ended: (role, fn, code, durationMs) => tally.ended(role, fn, code, durationMs),
    watch(node) {
      watched = node
    },
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    async text() {
      text ??= import('./metrics-text.ts').then(({ createMetricsText }) =>
        createMetricsText(tally, () => watched),
      )
      return (await text).read()
    },
    [Symbol.dispose]() {
      text?.then((loaded) => loaded[Symbol.dispose]()).catch(() => undefined)
    },
  }
}
