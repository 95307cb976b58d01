import { EasyNetError } from '../errors/error.ts'
import { type CallRecord, DEFAULT_CALL_TIMEOUT_MS } from '../model/call.ts'
import type { Value } from '../model/value.ts'
import type { FunctionView, StatusView } from '../model/views.ts'
import { createChannel } from '../util/channel.ts'
import { createTimeOrderedIds } from '../util/ids.ts'
import { createDeadline, onAbort, abortReason } from '../util/signals.ts'
import type { AttachConnection } from './attach/connection.ts'
import { type CallParams, type SentCall, sendCall } from './attach/outgoing-call.ts'
import { WINDOW_ITEMS } from '../model/attach.ts'
import { type FunctionDefinition, type PlainFunction, plainFunction, type PlainOptions } from './fn.ts'
import type { Callable, CallInfo, CallOptions, ConnectOptions } from './mesh-types.ts'
import { findOutcome, notMadeAnew, wentAway } from './outcome.ts'
import { Session } from './session.ts'

// A call: cli/commands/call.ts → here → sdk/attach/outgoing-call.ts ⇢ api/attach (daemon).

/** The daemon enforces the deadline; we only give up by ourselves when it does not even say so. */
const GRACE_MS = 2_000
/** Longest wait for the daemon when a call is made while the connection is being restored. */
const RECONNECT_WAIT_MS = 10_000

/**
 * Connects to this device's daemon.
 *
 * @throws {@link EasyNetError} `daemon_unreachable` · `unauthenticated`
 * @example
 * await using mesh = await connect()
 * await mesh.register('text.upper', (text: string) => text.toUpperCase())
 * await mesh.call('text.upper', ['hi'], { timeoutMs: 5_000 }) // 'HI'
 */
export async function connect(options: ConnectOptions = {}): Promise<Mesh> {
  const { client, signal, onDisconnect, onReconnect, ...target } = options
  const group = process.env['EASYNET_GROUP']
  const session = new Session({
    target,
    client: client ?? process.argv[1]?.split(/[\\/]/).at(-1) ?? 'node',
    group,
    onDisconnect,
    onReconnect,
  })
  await session.open(signal)
  return new Mesh(session)
}

/**
 * A program's place in the mesh; made by {@link connect}. When the daemon restarts it connects again
 * and registers its functions again. Of a call that was running then the outcome is asked for. It is made
 * anew when it surely never ran, or was cut off where it may run twice; otherwise it fails with
 * `interrupted` or `outcome_unknown`, or with `daemon_unreachable` when the daemon stays away.
 */
export class Mesh implements AsyncDisposable {
  readonly #session: Session
  readonly #nextId = createTimeOrderedIds()

  constructor(session: Session) {
    this.#session = session
  }

  /** The peer id of this device. */
  get peerId(): string {
    return this.#session.daemon?.peerId ?? ''
  }

  /** Aborted by `close()`. */
  get closed(): AbortSignal {
    return this.#session.closed
  }

  /** Offers a function, by name or as a definition of `fn(…)`. Generator functions stream. */
  async register(definition: FunctionDefinition): Promise<void>
  async register(name: string, run: PlainFunction, options?: PlainOptions): Promise<void>
  async register(
    first: string | FunctionDefinition,
    run?: PlainFunction,
    options?: PlainOptions,
  ): Promise<void> {
    if (typeof first !== 'string') return this.registerAll([first])
    if (typeof run !== 'function') {
      throw new EasyNetError('invalid_request', `"${first}" was registered without a function.`)
    }
    return this.registerAll([plainFunction(first, run, options)])
  }

  /** Offers several functions: all of them or none. @throws `function_exists`, `invalid_request` */
  async registerAll(definitions: readonly FunctionDefinition[]): Promise<void> {
    return this.#request((signal) => this.#session.register(definitions, signal))
  }

  async unregister(...names: string[]): Promise<void> {
    return this.#request((signal) => this.#session.unregister(names, signal))
  }

  /**
   * Runs a function on the best provider and resolves with its result.
   *
   * @param fn - name, address or definition
   * @param args - positional arguments
   * @throws {@link EasyNetError} `no_provider` · `deadline_exceeded` · `cancelled` · `function_error` ·
   * `interrupted` · `outcome_unknown` and the others of `docs/errors.md`
   */
  async call<In, R>(fn: FunctionDefinition<In, R>, args: readonly [In], options?: CallOptions): Promise<R>
  async call<R = unknown>(fn: Callable, args?: readonly unknown[], options?: CallOptions): Promise<R>
  async call(fn: Callable, args?: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return this.callWithInfo(fn, args, options).then(resultOf)
  }

  /** As `call`; resolves with who ran it, over which path, how long it took and what it cost. */
  async callWithInfo(
    fn: Callable,
    args: readonly unknown[] = [],
    options: CallOptions = {},
  ): Promise<CallInfo> {
    const endsAt = performance.now() + (options.timeoutMs ?? DEFAULT_CALL_TIMEOUT_MS) + GRACE_MS
    const { connection } = this.#session
    if (connection === undefined) return this.#callLater(fn, args, options, endsAt)
    return this.#callOn(connection, fn, args, options, endsAt)
  }

  /** @param endsAt - when we give up by ourselves, on the clock of `performance` */
  async #callLater(
    fn: Callable,
    args: readonly unknown[],
    options: CallOptions,
    endsAt: number,
  ): Promise<CallInfo> {
    using deadline = createDeadline(endsAt - performance.now(), options.signal)
    return this.#callOn(await this.#ready(deadline.signal), fn, args, options, endsAt)
  }

  async #callOn(
    connection: AttachConnection,
    fn: Callable,
    args: readonly unknown[],
    options: CallOptions,
    endsAt: number,
  ): Promise<CallInfo> {
    return new Promise((resolve, reject) => {
      // Ours, so that the call can be asked for also when the daemon dies before it answers at all.
      let id = this.#nextId(Date.now())
      const params = paramsOf(fn, args, options)
      params.id = id
      const { signal, input, onProgress, onLog } = options
      sendCall(connection, params, {
        signal,
        giveUpMs: endsAt - performance.now(),
        onAccepted(given) {
          // With an idempotency key it may be that of an earlier call.
          id = given
          options.onAccepted?.(given)
        },
        onProgress,
        onLog,
        input,
        done: resolve,
        failed: (error) => {
          if (error !== connection.lost || this.closed.aborted) reject(error)
          else resolve(this.#afterLoss(id, fn, args, options, endsAt))
        },
      })
    })
  }

  /** What became of a call whose connection broke off, or the same call made anew. */
  async #afterLoss(
    id: string,
    fn: Callable,
    args: readonly unknown[],
    options: CallOptions,
    endsAt: number,
  ): Promise<CallInfo> {
    using deadline = createDeadline(endsAt - performance.now(), options.signal)
    const { signal } = deadline
    const outcome = await findOutcome(id, () => this.#again(id, signal), signal, this.peerId)
    if (outcome !== 'again') return outcome.info
    // What was taken from the program's stream cannot be taken twice.
    if (options.input !== undefined) throw notMadeAnew(id)
    const timeoutMs = Math.max(1, Math.round(deadline.remainingMs() - GRACE_MS))
    return this.#callLater(fn, args, { ...options, timeoutMs }, endsAt)
  }

  /**
   * Runs a function and yields its chunks as they come. Leaving the loop cancels the call. The provider
   * is slowed down to the reader's pace. The generator's return value is the {@link CallInfo}.
   */
  async *stream<Chunk = unknown>(
    fn: Callable,
    args: readonly unknown[] = [],
    options: CallOptions = {},
  ): AsyncGenerator<Chunk, CallInfo, undefined> {
    const left = new AbortController()
    const unlink = onAbort(options.signal, () => left.abort(abortReason(options.signal)))
    let id: string | undefined
    try {
      const connection = await this.#ready(left.signal)
      // Twice the window: the daemon never fills it, so that `push` needs no waiting.
      const chunks = createChannel<Value>(WINDOW_ITEMS * 2)
      let call: SentCall | undefined
      const result = new Promise<CallInfo>((resolve, reject) => {
        call = sendCall(
          connection,
          { ...paramsOf(fn, args, options), stream: true },
          {
            signal: left.signal,
            onAccepted(given) {
              id = given
              options.onAccepted?.(given)
            },
            onChunk: (value) => void chunks.push(value),
            onProgress: options.onProgress,
            onLog: options.onLog,
            input: options.input,
            done: resolve,
            failed: reject,
          },
        )
      })
      result.then(
        () => chunks.end(),
        (error: unknown) =>
          chunks.fail(error === connection.lost ? wentAway(id, error) : EasyNetError.from(error)),
      )
      let taken = 0
      for await (const chunk of chunks) {
        yield chunk as Chunk
        call?.taken((taken += 1))
      }
      return await result
    } finally {
      unlink()
      left.abort(new EasyNetError('cancelled', 'The reader of the stream left.'))
    }
  }

  /**
   * A function of the mesh as a local one.
   *
   * @example
   * const upper = mesh.fn<(text: string) => string>('text.upper')
   * await upper('hi')
   */
  fn<F extends PlainFunction>(
    name: Callable,
    options: CallOptions = {},
  ): (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>> {
    return (...args) => this.call<Awaited<ReturnType<F>>>(name, args, options)
  }

  /** Functions that the mesh offers. @param q - part of a name, description or tag */
  async functions(q?: string, scope: 'local' | 'mesh' = 'mesh'): Promise<FunctionView[]> {
    const answer = await this.#ask('functions', { scope, ...(q === undefined ? {} : { q }) })
    return (answer as { functions: FunctionView[] }).functions
  }

  async status(): Promise<StatusView> {
    return (await this.#ask('status', {})) as StatusView
  }

  /** What became of a call of this device; the provider is asked when it is not known here. @throws `unknown_call` */
  async outcome(id: string): Promise<CallRecord> {
    return (await this.#ask('outcome', { id })) as CallRecord
  }

  /** Withdraws the functions, lets go of running calls and ends the connection. */
  async close(): Promise<void> {
    await this.#session.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #ask(method: string, params: object): Promise<unknown> {
    return this.#request(async (signal) => (await this.#session.ready(signal)).request(method, params))
  }

  async #request<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    using deadline = createDeadline(RECONNECT_WAIT_MS)
    return await send(deadline.signal)
  }

  /** The connection for asking what became of a call; not beyond the call's own time. */
  async #again(id: string, signal: AbortSignal) {
    using wait = createDeadline(RECONNECT_WAIT_MS, signal)
    try {
      return await this.#session.ready(wait.signal)
    } catch (error) {
      throw abortReason(wait.signal).reason === 'deadline_exceeded' ? wentAway(id, error) : error
    }
  }

  async #ready(signal: AbortSignal) {
    if (this.#session.connection !== undefined) return this.#session.connection
    using wait = createDeadline(RECONNECT_WAIT_MS, signal)
    try {
      return await this.#session.ready(wait.signal)
    } catch (error) {
      if (signal.aborted || !wait.signal.aborted) throw error
      throw new EasyNetError(
        'daemon_unreachable',
        `The daemon did not come back in ${RECONNECT_WAIT_MS / 1000} s.`,
        {
          hint: 'easynet up',
        },
      )
    }
  }
}

function paramsOf(fn: Callable, args: readonly unknown[], options: CallOptions): CallParams {
  const { timeoutMs, peer, key, maxCost, kwargs, input, traceparent } = options
  const params: CallParams = { fn: typeof fn === 'string' ? fn : fn.name, args }
  if (kwargs !== undefined) params.kwargs = kwargs
  if (peer !== undefined) params.peer = peer
  if (timeoutMs !== undefined) params.timeoutMs = timeoutMs
  if (maxCost !== undefined) params.maxCost = maxCost
  if (key !== undefined) params.key = key
  if (input !== undefined) params.input = true
  if (traceparent !== undefined) params.traceparent = traceparent
  return params
}

function resultOf(info: CallInfo): unknown {
  return info.result
}
