// Calls that an attached program makes. The next stop is scheduler/caller.ts, behind the port NodeApi;
// the one before is the program's library (sdk/attach). Programs without a connection: routes/calls.ts.
import { EasyNetError } from '../../errors/error.ts'
import type { Json } from '../../model/attach-message.ts'
import type { CallRequest, CallResult, CallSink, LogEntry } from '../../model/call.ts'
import type { Value } from '../../model/value.ts'
import { createChannel } from '../../util/channel.ts'
import { toCallRequest } from '../call-request.ts'
import { type ChunkCollector, createCollector } from '../collect.ts'
import type { NodeApi } from '../node-api.ts'
import { parseCallParams } from './call-params.ts'
import { decodeValue, encodeValue, type Params, type RequestId, type RpcConnection } from './connection.ts'
import { HIGH_WATER_BYTES, MAX_RUNNING_CALLS, PAUSE_BYTES } from './limits.ts'
import type { Transport } from './transport.ts'
import { createReceiveWindow, createSendWindow, type ReceiveWindow, type SendWindow } from './windows.ts'

/** The running calls of one program. */
export interface ProgramCalls {
  readonly size: number
  /** Starts a call; the program gets its answer when it has ended. */
  call(id: RequestId, params: Params): void
  /** Takes a notification that belongs to a call. */
  notified(method: 'cancel' | 'input' | 'inputEnd' | 'ack', params: Params): void
  /** The program is gone: streaming calls end, the others run on. */
  abandon(): void
}

export interface ProgramCallsComponents {
  node: NodeApi
  rpc: RpcConnection
  transport: Transport
  /** Tells the program that its request failed. */
  refuse: (id: RequestId, method: string, thrown: unknown) => void
  /** Called when a call has been answered. */
  onSettled: () => void
}

export function createProgramCalls(components: ProgramCallsComponents): ProgramCalls {
  const { node, rpc, transport, refuse, onSettled } = components
  const running = new Map<RequestId, ProgramCall>()

  const start = (id: RequestId, { json, blobs }: Params): Promise<CallResult> => {
    const given = parseCallParams(json)
    if (running.has(id)) throw new EasyNetError('invalid_request', 'A request with this id is still running.')
    if (running.size >= MAX_RUNNING_CALLS) {
      throw new EasyNetError('too_many_calls', `This program has ${MAX_RUNNING_CALLS} calls running.`, {
        details: { limit: MAX_RUNNING_CALLS },
      })
    }
    const request = toCallRequest(given, (value) => decodeValue(value, blobs))
    const call = new ProgramCall(id, rpc, transport, given.stream)
    if (given.input) request.input = call.openInput()
    running.set(id, call)
    return call.run(node, request)
  }
  const settle = (id: RequestId): void => {
    running.get(id)?.ended()
    running.delete(id)
  }
  const reply = (id: RequestId, result: CallResult): void => {
    try {
      const { json, blobs } = encodeValue(result.result)
      rpc.reply(id, { ...result, result: json }, blobs)
    } catch (thrown) {
      refuse(id, 'call', thrown)
    }
    onSettled()
  }

  return {
    get size() {
      return running.size
    },
    call(id, params) {
      let result: Promise<CallResult>
      try {
        result = start(id, params)
      } catch (thrown) {
        refuse(id, 'call', thrown)
        return
      }
      result.then(
        (value) => {
          settle(id)
          reply(id, value)
        },
        (thrown: unknown) => {
          settle(id)
          refuse(id, 'call', thrown)
        },
      )
    },
    notified(method, params) {
      // A call that has just ended may still be spoken of.
      const call = running.get(params.json['call'] as RequestId)
      if (call === undefined) return
      try {
        call.notified(method, params)
      } catch (thrown) {
        const error = EasyNetError.from(thrown)
        if (error.reason === 'protocol_violation') throw error
        call.abort(error)
      }
    },
    abandon() {
      const gone = new EasyNetError('cancelled', 'The program that made the call is gone.')
      for (const call of running.values()) call.abandon(gone)
    },
  }
}

/** One call of the program, and where its parts go. What only streams need is made when it is needed. */
class ProgramCall implements CallSink {
  readonly #id: RequestId
  readonly #rpc: RpcConnection
  readonly #transport: Transport
  readonly #stream: boolean
  readonly #controller = new AbortController()
  #chunks: SendWindow | undefined
  #collector: ChunkCollector | undefined
  #input: InputStream | undefined

  constructor(id: RequestId, rpc: RpcConnection, transport: Transport, stream: boolean) {
    this.#id = id
    this.#rpc = rpc
    this.#transport = transport
    this.#stream = stream
  }

  async run(node: NodeApi, request: CallRequest): Promise<CallResult> {
    const result = await node.call(request, this, {
      signal: this.#controller.signal,
      // It is told the id for what may come to pass while the call runs, so a quick answer need not wait for it.
      onAccepted: (id) => this.#rpc.notifyLater('accepted', { call: this.#id, id }),
    })
    return this.#collector?.withChunks(result) ?? result
  }

  openInput(): AsyncIterable<Value> {
    this.#input = createInputStream((n) => this.#rpc.notify('ack', { call: this.#id, of: 'input', n }))
    return this.#input.items
  }

  /** Whatever of its inputs is still to come is of no use. */
  ended(): void {
    // An error costs its stack: only for a call with inputs.
    this.#input?.end(new EasyNetError('cancelled', 'The call has ended.'))
  }

  abort(error: EasyNetError): void {
    this.#controller.abort(error)
  }

  /** Without the connection a stream is of no use. */
  abandon(gone: EasyNetError): void {
    this.#chunks?.close(gone)
    if (this.#stream || this.#input !== undefined) this.abort(gone)
  }

  notified(method: string, { json, blobs }: Params): void {
    if (method === 'ack') this.#window.acknowledge(json['n'])
    else if (method === 'input') this.#input?.accept(decodeValue(json['value'], blobs))
    else if (method === 'inputEnd') this.#input?.end(inputError(json))
    else this.abort(new EasyNetError('cancelled', 'The program cancelled the call.'))
  }

  // Fields, since a sink may be copied.
  readonly chunk = (value: Value): Promise<void> | void => {
    if (!this.#stream) {
      this.#collector ??= createCollector((error) => this.abort(error))
      return this.#collector.chunk(value)
    }
    const room = this.#window.claim()
    return room === undefined ? this.#sendChunk(value) : room.then(() => this.#sendChunk(value))
  }

  readonly progress = (value: Value): void => {
    // A later value says more than one that comes late.
    if (this.#transport.bufferedBytes > HIGH_WATER_BYTES) return
    const { json, blobs } = encodeValue(value)
    this.#rpc.notify('progress', { call: this.#id, value: json }, blobs)
  }

  readonly log = (entry: LogEntry): void => {
    if (this.#transport.bufferedBytes < PAUSE_BYTES) this.#rpc.notify('log', { call: this.#id, ...entry })
  }

  get #window(): SendWindow {
    return (this.#chunks ??= createSendWindow())
  }

  #sendChunk(value: Value): Promise<void> | void {
    const { json, blobs } = encodeValue(value)
    this.#rpc.notify('chunk', { call: this.#id, value: json }, blobs)
    if (this.#transport.bufferedBytes > HIGH_WATER_BYTES) return this.#transport.drained()
  }
}

interface InputStream {
  items: AsyncIterable<Value>
  accept(value: Value): void
  end(error?: EasyNetError): void
}

function createInputStream(acknowledge: (n: number) => void): InputStream {
  // Room for less than one item: an item counts as taken when the reader has it.
  const channel = createChannel<Value>(1)
  const window: ReceiveWindow<Value> = createReceiveWindow((value) => channel.push(value), acknowledge)
  return {
    items: channel,
    accept: (value) => window.accept(value),
    end(error) {
      window.whenTaken(() => (error === undefined ? channel.end() : channel.fail(error)))
    },
  }
}

function inputError(json: Json): EasyNetError | undefined {
  return json['error'] === undefined ? undefined : EasyNetError.fromData(json['error'])
}
