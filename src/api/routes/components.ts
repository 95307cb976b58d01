import type { NodeApi } from '../node-api.ts'
import type { MetricsSource } from '../ports.ts'

/** What every route gets. */
export interface RouteComponents {
  node: NodeApi
  /** Aborts when the server closes: endless answers end with it. */
  closing: AbortSignal
  /** Absent where nobody measures: then there is no `/metrics`. */
  metrics?: MetricsSource | undefined
}
