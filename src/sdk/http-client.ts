import { EasyNetError } from '../errors/error.ts'
import type { CallDetails, CallRecord } from '../model/call.ts'
import { fromPlainJson } from '../model/json.ts'
import type { FunctionView, NodeEvent, PeerView, PingView, StatusView } from '../model/views.ts'
import { type DaemonTarget, findDaemon } from './find-daemon.ts'
import { createRequester, type Requester } from './http-request.ts'
import { readEvents } from './sse.ts'

const DEFAULT_TIMEOUT_MS = 10_000
/** The daemon may ask a provider, or the mesh, before it answers. */
const LOOKUP_TIMEOUT_MS = 30_000

export interface RequestOptions {
  signal?: AbortSignal
  /** @default 10_000; 30_000 where the daemon asks other devices */
  timeoutMs?: number
}

/**
 * The control API of the daemon, one method per route. For calls and functions of your own use
 * `connect()`: it is faster, and has bytes, streams and cancelling.
 *
 * @example
 * using api = await HttpClient.open()
 * const { name, peers } = await api.status()
 */
export class HttpClient implements Disposable {
  readonly #http: Requester

  constructor(http: Requester) {
    this.#http = http
  }

  /** @throws {@link EasyNetError} `daemon_unreachable` when no daemon has written its files */
  static async open(target: DaemonTarget = {}): Promise<HttpClient> {
    return new HttpClient(createRequester(await findDaemon(target)))
  }

  status(options?: RequestOptions): Promise<StatusView> {
    return this.#get('/v1/status', options)
  }

  async peers(options?: RequestOptions): Promise<PeerView[]> {
    return (await this.#get<{ peers: PeerView[] }>('/v1/peers', options)).peers
  }

  /** One round trip to a peer, named by id or name. @throws `unknown_peer` · `ambiguous_peer` · `peer_unreachable` */
  ping(peer: string, options: RequestOptions = {}): Promise<PingView> {
    return this.#post(`/v1/peers/${encodeURIComponent(peer)}/ping`, lookup(options))
  }

  /** Refuses (or allows again) every connection of a peer. */
  blockPeer(peer: string, blocked: boolean, options: RequestOptions = {}): Promise<PeerView> {
    return this.#post(`/v1/peers/${encodeURIComponent(peer)}/block`, options, { blocked })
  }

  /** @param query.q - part of a name, description or tag */
  async functions(
    query: { scope?: 'local' | 'mesh'; q?: string } = {},
    options?: RequestOptions,
  ): Promise<FunctionView[]> {
    const search = new URLSearchParams(query).toString()
    const path = search === '' ? '/v1/functions' : `/v1/functions?${search}`
    return (await this.#get<{ functions: FunctionView[] }>(path, options)).functions
  }

  /** One function; the mesh is asked when nobody has announced it yet. @throws `unknown_function` */
  function(name: string, options: RequestOptions = {}): Promise<FunctionView> {
    return this.#get(`/v1/functions/${encodeURIComponent(name)}`, lookup(options))
  }

  /** Calls of this device, newest first, without their results. */
  async calls(options?: RequestOptions): Promise<CallRecord[]> {
    return (await this.#get<{ calls: CallRecord[] }>('/v1/calls', options)).calls
  }

  /** What became of a call, and its steps as far as they are kept. @throws `unknown_call` */
  async callRecord(id: string, options: RequestOptions = {}): Promise<CallDetails> {
    const record = await this.#get<CallDetails>(`/v1/calls/${encodeURIComponent(id)}`, lookup(options))
    return record.result === undefined ? record : { ...record, result: fromPlainJson(record.result) }
  }

  /** @throws `unknown_call` when no such call is running */
  async cancelCall(id: string, options: RequestOptions = {}): Promise<void> {
    await this.#json('DELETE', `/v1/calls/${encodeURIComponent(id)}`, options)
  }

  /** Stops the daemon as SIGTERM does: running calls may finish first. */
  async shutdown(options: RequestOptions = {}): Promise<void> {
    await this.#post('/v1/shutdown', options)
  }

  /**
   * Everything that happens on this device, until `signal` aborts or the daemon ends.
   *
   * @param options.after - id of the last event seen; those since then come first, as far as they are kept
   */
  async *events(options: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<NodeEvent> {
    const { after, signal } = options
    const body = await this.#http.stream('/v1/events', {
      ...(after === undefined ? {} : { headers: { 'Last-Event-ID': String(after) } }),
      ...(signal === undefined ? {} : { signal }),
    })
    try {
      for await (const event of readEvents(body)) yield JSON.parse(event.data) as NodeEvent
    } catch (error) {
      if (signal?.aborted !== true) throw EasyNetError.from(error, 'daemon_unreachable')
    } finally {
      body.destroy()
    }
  }

  /** Closes the kept connections. */
  [Symbol.dispose](): void {
    this.#http.close()
  }

  #get<T>(path: string, options: RequestOptions = {}): Promise<T> {
    return this.#json('GET', path, options)
  }

  #post<T>(path: string, options: RequestOptions, body: object = {}): Promise<T> {
    return this.#json('POST', path, options, body)
  }

  async #json<T>(method: string, path: string, options: RequestOptions, body?: object): Promise<T> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options
    return (await this.#http.json(method, path, {
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
      ...(body === undefined ? {} : { body }),
    })) as T
  }
}

function lookup(options: RequestOptions): RequestOptions {
  return { timeoutMs: LOOKUP_TIMEOUT_MS, ...options }
}
