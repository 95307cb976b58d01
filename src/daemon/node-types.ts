import type { NodeApi } from '../api/node-api.ts'
import type { Config } from '../config/schema.ts'
import type { OwnerKey } from '../identity/owner-key.ts'
import type { SigningKey } from '../identity/signing-key.ts'
import type { NodeDatabases } from '../storage/node-databases.ts'
import type { NodeEvents } from '../telemetry/events.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { NodeMetrics } from '../telemetry/metrics.ts'
import type { Clock } from '../util/clock.ts'
import type { Home } from '../util/home.ts'

/** What a node is built from. The caller opens and closes all of it. */
export interface NodeInit {
  config: Config
  home: Home
  databases: NodeDatabases
  deviceKey: SigningKey
  ownerKey: OwnerKey
  logger: Logger
  events: NodeEvents
  /** Software version, such as `0.1.0`. */
  version: string
  /** Called when a program asks the daemon to stop (`NodeApi.shutdown`). Returns at once. */
  requestShutdown: () => void
  clock?: Clock
  /** Is told of calls and peers; none in a node that nobody measures. */
  metrics?: NodeMetrics
}

/** A running member of the mesh. Disposing cuts off what is still running. */
export interface Node extends AsyncDisposable {
  readonly api: NodeApi
  readonly peerId: string
  readonly name: string
  /** Multiaddrs that others can dial, with the peer id. */
  addresses: () => string[]
  /**
   * Withdraws the adverts, refuses new calls with `draining`, and resolves when the running ones have
   * ended or `signal` aborts. `daemon:draining` was emitted before.
   */
  drain(signal: AbortSignal): Promise<void>
}

/** The composition root, `createNode` of `node.ts`. */
export type CreateNode = (init: NodeInit) => Promise<Node>
