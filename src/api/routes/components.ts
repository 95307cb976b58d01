import type { NodeApi } from '../node-api.ts'

/** What every route gets. */
export interface RouteComponents {
  node: NodeApi
  /** Aborts when the server closes: endless answers end with it. */
  closing: AbortSignal
}
