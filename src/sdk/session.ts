import { EasyNetError } from '../errors/error.ts'
import { raceSignal, sleep } from '../util/signals.ts'
import { AttachConnection } from './attach/connection.ts'
import { Invocations } from './attach/invocations.ts'
import { openSocket } from './attach/open-socket.ts'
import { ATTACH_PROTOCOL } from '../model/attach.ts'
import { type HelloResult } from './attach/protocol.ts'
import { type DaemonTarget, findDaemon } from './find-daemon.ts'
import type { RunnableFunction } from './function-types.ts'

const FIRST_RETRY_MS = 100
/** Asking costs a millisecond, and a daemon that crashes again and again may be up for a second only. */
const LONGEST_RETRY_MS = 1_000

export interface SessionInit {
  target: DaemonTarget
  /** Name of the program, for the daemon's logs. */
  client: string
  /** Set for a process that `easynet serve` has started. */
  group?: string | undefined
  /** Owns the process that says this group in its `hello`: `kill` ends it and starts it again. */
  supervise?: { group: string; kill: (reason: string) => void } | undefined
  onDisconnect?: ((error: EasyNetError) => void) | undefined
  onReconnect?: (() => void) | undefined
}

/**
 * One program's standing with its daemon: the connection of the moment, and the functions that are
 * registered again on the next one. Functions bring it back at once, a call when it needs it.
 */
export class Session {
  readonly #init: SessionInit
  readonly #functions = new Map<string, RunnableFunction>()
  readonly #closed = new AbortController()
  #connection: AttachConnection | undefined
  #connecting: Promise<AttachConnection> | undefined
  #waiting = 0
  #peer: HelloResult | undefined

  constructor(init: SessionInit) {
    this.#init = init
  }

  /** The daemon as it presented itself at the last `hello`. */
  get daemon(): HelloResult | undefined {
    return this.#peer
  }

  /** The connection of the moment; undefined while there is none. */
  get connection(): AttachConnection | undefined {
    return this.#connection
  }

  /** Connects once, without retries. */
  async open(signal?: AbortSignal): Promise<void> {
    this.#connection = await this.#connect(signal)
  }

  /** The connection; waits for it while it is being restored. */
  async ready(signal: AbortSignal): Promise<AttachConnection> {
    if (this.#connection !== undefined) return this.#connection
    this.#closed.signal.throwIfAborted()
    this.#waiting += 1
    try {
      return await raceSignal(this.#restore(), signal)
    } finally {
      this.#waiting -= 1
    }
  }

  async register(functions: readonly RunnableFunction[], signal: AbortSignal): Promise<void> {
    const known = functions.find((fn) => this.#functions.has(fn.options.name))
    if (known !== undefined) {
      const name = known.options.name
      throw new EasyNetError('function_exists', `This program has already registered "${name}".`, {
        hint: 'Unregister it first, or choose another name.',
      })
    }
    const connection = await this.ready(signal)
    // Before the answer: the first call may arrive together with it.
    for (const fn of functions) this.#functions.set(fn.options.name, fn)
    connection.keepAlive = true
    try {
      await sendFunctions(connection, functions)
    } catch (error) {
      for (const fn of functions) this.#functions.delete(fn.options.name)
      connection.keepAlive = this.#isNeeded
      throw error
    }
  }

  async unregister(names: readonly string[], signal: AbortSignal): Promise<void> {
    for (const name of names) this.#functions.delete(name)
    const connection = await this.ready(signal)
    connection.keepAlive = this.#isNeeded
    await connection.request('unregister', { names })
  }

  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return
    const reason = new EasyNetError('cancelled', 'The connection was closed by close().')
    this.#closed.abort(reason)
    const connection = this.#connection
    this.#connection = undefined
    await connection?.close()
  }

  /** Aborted by `close()`. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** True while somebody else counts on this connection. */
  get #isNeeded(): boolean {
    return this.#functions.size > 0 || this.#init.supervise !== undefined
  }

  #kill({ group, reason }: Record<string, unknown>): boolean {
    const { supervise } = this.#init
    if (supervise === undefined || group !== supervise.group) return false
    supervise.kill(typeof reason === 'string' ? reason : 'cancelled')
    return true
  }

  async #connect(signal?: AbortSignal): Promise<AttachConnection> {
    // Read again each time: a restarted daemon may listen on another port with another token.
    const endpoint = await findDaemon(this.#init.target)
    const invocations = new Invocations((name) => this.#functions.get(name))
    const connection: AttachConnection = new AttachConnection(await openSocket(endpoint, signal), {
      request: (id, method, params) => {
        if (method === 'kill' && this.#kill(params)) connection.reply(id, {})
        else invocations.onRequest(connection, id, method, params)
      },
      notification: (method, params) => invocations.onNotification(method, params),
      lost: (error) => {
        invocations.abortAll(error)
        this.#onLost(connection, error)
      },
    })
    try {
      const { client, group } = this.#init
      const hello = { client, ...(group === undefined ? {} : { group }) }
      this.#peer = checkProtocol(await connection.request('hello', hello))
      const { supervise } = this.#init
      if (supervise !== undefined) await connection.request('supervise', { group: supervise.group })
      if (this.#functions.size > 0) await sendFunctions(connection, [...this.#functions.values()])
      connection.keepAlive = this.#isNeeded
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  #onLost(connection: AttachConnection, error: EasyNetError): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    this.#init.onDisconnect?.(error)
    if (!this.#isNeeded) return
    this.#restore().catch((failure: unknown) => {
      if (!this.#closed.signal.aborted) this.#init.onDisconnect?.(EasyNetError.from(failure))
    })
  }

  #restore(): Promise<AttachConnection> {
    this.#connecting ??= this.#retry().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #retry(): Promise<AttachConnection> {
    const { signal } = this.#closed
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LONGEST_RETRY_MS)) {
      try {
        const connection = await this.#connect(signal)
        if (signal.aborted) await connection.close()
        signal.throwIfAborted()
        this.#connection = connection
        this.#init.onReconnect?.()
        return connection
      } catch (error) {
        if (signal.aborted || (!this.#isNeeded && this.#waiting === 0)) throw error
        const failure = EasyNetError.from(error)
        if (failure.reason !== 'daemon_unreachable') this.#init.onDisconnect?.(failure)
        // Half of it is chance, so that programs do not all come back in the same instant.
        await sleep(delayMs * (0.5 + Math.random() / 2), signal)
      }
    }
  }
}

async function sendFunctions(
  connection: AttachConnection,
  functions: readonly RunnableFunction[],
): Promise<void> {
  await connection.request('register', { functions: functions.map((fn) => fn.options) })
}

function checkProtocol(answer: unknown): HelloResult {
  const hello = answer as HelloResult
  if (hello.protocol === ATTACH_PROTOCOL) return hello
  throw new EasyNetError(
    'protocol_violation',
    `The daemon speaks attach protocol ${String(hello.protocol)}.`,
    {
      hint: `This library speaks ${ATTACH_PROTOCOL}: update the older of the two.`,
    },
  )
}
