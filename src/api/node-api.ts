import type {
  CallRecord,
  CallRequest,
  CallResult,
  CallSink,
  CallTimeline,
  FunctionRunner,
} from '../model/call.ts'
import type { FunctionDescriptor, FunctionOptions } from '../model/function.ts'
import type { FunctionView, NodeEvent, PeerView, PingView, StatusView } from '../model/views.ts'

/** What the control API needs from the node: the port that `daemon/` implements. */
export interface NodeApi {
  status(): StatusView
  peers(): PeerView[]
  /** Refuses (or again allows) every connection of a peer, named by id or name. Survives restarts. */
  blockPeer(peer: string, blocked: boolean): Promise<PeerView>
  /** One round trip to a peer, named by id or name. @throws `unknown_peer`, `peer_unreachable` */
  ping(peer: string, signal: AbortSignal): Promise<PingView>
  /** @param query.q - substring of a name, description or tag */
  functions(query: { scope: 'local' | 'mesh'; q?: string }): FunctionView[]
  /** Asks the mesh for providers of a function nobody has announced to us yet. */
  findFunction(name: string, signal: AbortSignal): Promise<FunctionView | undefined>
  /**
   * Runs a call to its end. `onAccepted` gets the id before anything is sent.
   * @throws {@link EasyNetError} with the reason that the program will see
   */
  call(request: CallRequest, sink: CallSink, options: CallOptions): Promise<CallResult>
  /** Newest first. */
  calls(): CallRecord[]
  /** Asks the provider again when the outcome is not known here. @throws `unknown_call` */
  callRecord(id: string, signal: AbortSignal): Promise<CallRecord>
  /** The steps of a call, those at the provider too; undefined when they are not kept any more. */
  callTimeline(id: string, signal: AbortSignal): Promise<CallTimeline | undefined>
  /** @throws `unknown_call` when no such call is running */
  cancelCall(id: string): void
  /** All or none of the functions are registered. @throws `function_exists`, `invalid_request` */
  register(functions: readonly FunctionOptions[], runner: FunctionRunner): Registration
  events: EventSource
  /** Stops the daemon as SIGTERM does. */
  shutdown(): void
}

export interface CallOptions {
  signal?: AbortSignal | undefined
  onAccepted?: (id: string) => void
}

/** Functions that one program offers; disposing withdraws what is left of them. */
export interface Registration extends Disposable {
  functions: FunctionDescriptor[]
  unregister(name: string): void
}

export interface EventSource {
  /** Events after `lastId` that are still kept, then new ones; ends when `signal` aborts. */
  follow(lastId: number | undefined, signal: AbortSignal): AsyncIterable<NodeEvent>
}
