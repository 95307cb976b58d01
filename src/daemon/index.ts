/**
 * A member of the mesh inside this process, without a daemon: `import { createNode } from 'easynet/node'`.
 *
 * @packageDocumentation
 */
import { join } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { loadDeviceKey } from '../identity/device-key.ts'
import { loadOwnerKey } from '../identity/owner-key.ts'
import type { CallRequest, CallResult, CallSink } from '../model/call.ts'
import type { FunctionOptions } from '../model/function.ts'
import type { Value } from '../model/value.ts'
import { type Channel, createChannel } from '../util/channel.ts'
import { openNodeDatabases } from '../storage/node-databases.ts'
import { ensurePrivateDir } from '../util/private-files.ts'
import { createNodeEvents } from '../telemetry/events.ts'
import { createSilentLogger, type Logger } from '../telemetry/logger.ts'
import { locateHome } from '../util/home.ts'
import { ownPackage } from '../util/installation.ts'
import { createLocalRunner, type LocalContext, type LocalFunction } from './local-runner.ts'
import { createNode as composeNode } from './node.ts'
import type { Node } from './node-types.ts'

export { EasyNetError } from '../errors/error.ts'
export type { CallResult, FunctionOptions, LocalContext, LocalFunction, Value }

export interface NodeOptions {
  /** Folder for the key and the state of this node. Two nodes never share one. */
  home: string
  /** What others call it. @default the host name */
  name?: string
  /** Multiaddrs to listen on. @default ['/ip4/127.0.0.1/tcp/0'] */
  listen?: string[]
  /** Multiaddrs of nodes to connect to. @default [] */
  bootstrap?: string[]
  /** Look for nodes on the local network. @default false */
  mdns?: boolean
  logger?: Logger
}

export type CallOptions = Omit<CallRequest, 'fn' | 'args' | 'kwargs'> & {
  kwargs?: Record<string, Value>
  signal?: AbortSignal
}

/** A node in this process. */
export interface MeshNode extends AsyncDisposable {
  readonly peerId: string
  readonly name: string
  readonly addresses: string[]
  /** Everything that the control API offers. */
  readonly api: Node['api']
  /** Offers a function; generators stream. @throws `function_exists`, `invalid_request` */
  register(name: string, run: LocalFunction, options?: Omit<FunctionOptions, 'name'>): Disposable
  /** @throws {@link EasyNetError} */
  call(fn: string, args?: Value[], options?: CallOptions): Promise<Value>
  /** As `call`, with who ran it, over which path, in how long. */
  callWithInfo(fn: string, args?: Value[], options?: CallOptions): Promise<CallResult>
  /** The chunks of a streaming function. Leaving the loop cancels the call. */
  stream(fn: string, args?: Value[], options?: CallOptions): AsyncIterable<Value>
}

/**
 * Starts a node.
 *
 * @example
 * await using node = await createNode({ home: './node-1', bootstrap: ['/ip4/…/tcp/4677/p2p/12D3Koo…'] })
 * node.register('text.upper', (text: string) => text.toUpperCase())
 */
export async function createNode(options: NodeOptions): Promise<MeshNode> {
  const home = locateHome(options.home)
  const { config } = loadConfig({ env: {}, flags: [], userFile: join(options.home, 'config.toml') })
  await using stack = new AsyncDisposableStack()
  ensurePrivateDir(home.stateDir)
  const databases = stack.use(openNodeDatabases(home))
  const node = stack.use(
    await composeNode({
      config: {
        ...config,
        name: options.name ?? config.name,
        network: {
          ...config.network,
          listen: options.listen ?? ['/ip4/127.0.0.1/tcp/0'],
          bootstrap: options.bootstrap ?? [],
          mdns: options.mdns ?? false,
        },
      },
      home,
      databases,
      deviceKey: loadDeviceKey(home.keyFile),
      ownerKey: loadOwnerKey(home.ownerKeyFile),
      logger: options.logger ?? createSilentLogger(),
      events: createNodeEvents(),
      version: ownPackage().version,
      requestShutdown: () => {},
    }),
  )
  const parts = stack.move()
  return meshNode(node, async () => parts.disposeAsync())
}

function meshNode({ api, peerId, name, addresses }: Node, dispose: () => Promise<void>): MeshNode {
  const request = (fn: string, args: Value[], options: CallOptions): CallRequest => {
    if (options === NO_OPTIONS) return { fn, args, kwargs: {} }
    const { kwargs = {}, signal: _, ...rest } = options
    return { fn, args, kwargs, ...rest }
  }
  const callWithInfo = (fn: string, args: Value[] = [], options = NO_OPTIONS): Promise<CallResult> =>
    api.call(request(fn, args, options), silentSink, { signal: options.signal })

  return {
    api,
    peerId,
    name,
    get addresses() {
      return addresses()
    },
    register(fn, run, options = {}) {
      return api.register([{ ...options, name: fn }], createLocalRunner(new Map([[fn, run]])))
    },
    callWithInfo,
    call: async (fn, args, options) => (await callWithInfo(fn, args, options)).result,
    stream(fn, args = [], options = {}) {
      const reader = new AbortController()
      const signal = AbortSignal.any([
        reader.signal,
        ...(options.signal === undefined ? [] : [options.signal]),
      ])
      const chunks = createChannel<Value>(4)
      chunks.onCancel = () => reader.abort()
      api.call(request(fn, args, options), chunkSink(chunks), { signal }).then(
        () => chunks.end(),
        (error: Error) => chunks.fail(error),
      )
      return chunks
    },
    [Symbol.asyncDispose]: dispose,
  }
}

const NO_OPTIONS: CallOptions = {}
const silentSink: CallSink = { chunk: () => undefined, progress: () => undefined, log: () => undefined }

function chunkSink(chunks: Channel<Value>): CallSink {
  return { ...silentSink, chunk: async (value) => chunks.push(value) }
}
