import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { EasyNetError } from '../errors/error.ts'
import type { FunctionView } from '../model/views.ts'
import type { DaemonTarget } from './find-daemon.ts'
import { type FunctionDefinition, type PlainFunction, plainFunction, type PlainOptions } from './fn.ts'
import { HttpClient } from './http-client.ts'
import { connect, type Mesh } from './mesh.ts'
import type { CallOptions } from './mesh-types.ts'
import { startDaemon } from './start-daemon.ts'

// The names that EasyRemote's users know, each a few lines on top of `connect()`.

/** A gateway's `host:port` (on this device, or with its token in `EASYNET_TOKEN`), or where the daemon is. */
export type Gateway = string | DaemonTarget

/**
 * Offers functions of this program.
 *
 * @example
 * const node = new ComputeNode()
 * node.register('add', (a: number, b: number) => a + b)
 * await node.serve()
 */
export class ComputeNode implements AsyncDisposable {
  readonly #gateway: Gateway | undefined
  readonly #definitions: FunctionDefinition[] = []
  #mesh: Mesh | undefined

  constructor(gateway?: Gateway) {
    this.#gateway = gateway
  }

  /** Adds a function to those that `serve()` offers; without a name, under its own. */
  register(run: PlainFunction | FunctionDefinition): this
  register(name: string, run: PlainFunction, options?: PlainOptions): this
  register(
    first: string | PlainFunction | FunctionDefinition,
    run?: PlainFunction,
    options?: PlainOptions,
  ): this {
    if (this.#mesh !== undefined) {
      throw new EasyNetError(
        'invalid_request',
        'This node serves already: register its functions before serve().',
      )
    }
    if (typeof first === 'object') this.#definitions.push(first)
    else if (typeof first === 'function') this.#definitions.push(plainFunction(first.name, first, options))
    else if (run !== undefined) this.#definitions.push(plainFunction(first, run, options))
    return this
  }

  /** Offers the functions until `close()`. */
  async serve(): Promise<void> {
    this.#mesh = await connect(targetOf(this.#gateway))
    await this.#mesh.registerAll(this.#definitions)
    const { closed } = this.#mesh
    if (!closed.aborted) await once(closed, 'abort')
  }

  async close(): Promise<void> {
    await this.#mesh?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Calls functions; connects with the first call. */
export class Client implements AsyncDisposable {
  readonly #gateway: Gateway | undefined
  #mesh: Promise<Mesh> | undefined

  constructor(gateway?: Gateway) {
    this.#gateway = gateway
  }

  /** Runs a function on the best device. */
  async execute<R = unknown>(fn: string, ...args: unknown[]): Promise<R> {
    return (await this.#connect()).call<R>(fn, args)
  }

  /** Runs a function on one device and nowhere else. @param node - peer id or name */
  async executeOnNode<R = unknown>(node: string, fn: string, ...args: unknown[]): Promise<R> {
    return (await this.#connect()).call<R>(fn, args, { peer: node })
  }

  /** Runs a function with the options of `mesh.call`. */
  async executeWithContext<R = unknown>(
    fn: string,
    args: readonly unknown[],
    options: CallOptions,
  ): Promise<R> {
    return (await this.#connect()).call<R>(fn, args, options)
  }

  /** Yields what the function streams. */
  async *stream<Chunk = unknown>(fn: string, ...args: unknown[]): AsyncGenerator<Chunk> {
    yield* (await this.#connect()).stream<Chunk>(fn, args)
  }

  async listFunctions(): Promise<FunctionView[]> {
    return (await this.#connect()).functions()
  }

  /** The devices that are known. */
  async listNodes(): Promise<{ peerId: string; name: string; connected: boolean }[]> {
    using api = await HttpClient.open(targetOf(this.#gateway))
    return await api.peers()
  }

  async close(): Promise<void> {
    const mesh = this.#mesh
    this.#mesh = undefined
    await (await mesh)?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #connect(): Promise<Mesh> {
    this.#mesh ??= connect(targetOf(this.#gateway)).catch((error: unknown) => {
      this.#mesh = undefined
      throw error
    })
    return this.#mesh
  }
}

/**
 * A function of the mesh as a local one; connects with the first call.
 *
 * @param client - share one among several functions
 * @example
 * const detect = remote<(image: Uint8Array) => Face[]>('faces.detect')
 * await detect(image)
 */
export function remote<F extends PlainFunction>(
  name: string,
  options: CallOptions = {},
  client: Client = new Client(),
): (...args: Parameters<F>) => Promise<Awaited<ReturnType<F>>> {
  return (...args) => client.executeWithContext<Awaited<ReturnType<F>>>(name, args, options)
}

export interface ServerOptions {
  /** Where other programs reach the gateway. @default 8080 */
  port?: number
  /** @default '127.0.0.1' */
  host?: string
  /** Further options of `easynetd`, such as `['--home', dir]`. */
  args?: readonly string[]
}

/** A gateway: a daemon that other programs may use over the network. */
export class Server implements AsyncDisposable {
  readonly #options: ServerOptions
  #daemon: ChildProcess | undefined

  constructor(options: ServerOptions = {}) {
    this.#options = options
  }

  /** Resolves when the gateway serves. @throws {@link EasyNetError} `daemon_unreachable` when it ends before */
  async start(): Promise<void> {
    const { host = '127.0.0.1', port = 8080, args = [] } = this.#options
    const daemon = startDaemon({
      args: ['--gateway', `${host}:${port}`, ...args],
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#daemon = daemon
    // Its one line on stdout says that it serves; without one it has failed.
    if (daemon.stdout !== null) for await (const _line of createInterface(daemon.stdout)) return
    throw new EasyNetError('daemon_unreachable', 'The gateway ended before it served.', {
      hint: 'easynetd --gateway',
    })
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

function targetOf(gateway: Gateway | undefined): DaemonTarget {
  if (typeof gateway !== 'string') return gateway ?? {}
  return { url: gateway.includes('://') ? gateway : `http://${gateway}` }
}
