// Calls that an attached program makes. The next stop is scheduler/caller.ts, behind the port NodeApi;
// the one before is the program's library (sdk/attach). Programs without a connection: routes/calls.ts.
import { z } from 'zod'
import { EasyNetError } from '../../errors/error.ts'
import { CALL_ID, type CallResult, type CallSink } from '../../model/call.ts'
import { createChannel } from '../../util/channel.ts'
import type { Value } from '../../model/value.ts'
import { toCallRequest } from '../call-request.ts'
import { createCollector } from '../collect.ts'
import { invalidRequest } from '../errors.ts'
import type { NodeApi } from '../node-api.ts'
import { callRequestSchema } from '../schemas.ts'
import { decodeValue, encodeValue, type Params, type RequestId, type RpcConnection } from './connection.ts'
import { HIGH_WATER_BYTES, MAX_RUNNING_CALLS, PAUSE_BYTES } from './limits.ts'
import type { Json } from './message.ts'
import type { Transport } from './transport.ts'
import { createReceiveWindow, createSendWindow, type ReceiveWindow, type SendWindow } from './windows.ts'

const callParamsSchema = callRequestSchema.extend({
  id: z.string().regex(CALL_ID).optional(),
  stream: z.boolean().default(false),
  input: z.boolean().default(false),
  traceparent: z.string().optional(),
})

interface InputStream {
  items: AsyncIterable<Value>
  accept(value: Value): void
  end(error?: EasyNetError): void
}

interface ProgramCall {
  controller: AbortController
  /** True when the call is of no use without the connection. */
  isStreaming: boolean
  chunks: SendWindow
  input?: InputStream
}

/** The running calls of one program. */
export interface ProgramCalls {
  readonly size: number
  /** Runs one call to its end and returns what the program gets. */
  call(id: RequestId, params: Params): Promise<{ json: Json; blobs: readonly Uint8Array[] }>
  /** Takes a notification that belongs to a call. */
  notified(method: 'cancel' | 'input' | 'inputEnd' | 'ack', params: Params): void
  /** The program is gone: streaming calls end, the others run on. */
  abandon(): void
}

export interface ProgramCallsComponents {
  node: NodeApi
  rpc: RpcConnection
  transport: Transport
}

export function createProgramCalls({ node, rpc, transport }: ProgramCallsComponents): ProgramCalls {
  const running = new Map<RequestId, ProgramCall>()

  const sinkOf = (id: RequestId, window: SendWindow): CallSink => {
    const sendChunk = (value: Value): Promise<void> | void => {
      const { json, blobs } = encodeValue(value)
      rpc.notify('chunk', { call: id, value: json }, blobs)
      if (transport.bufferedBytes > HIGH_WATER_BYTES) return transport.drained()
    }
    return {
      chunk(value) {
        const room = window.claim()
        return room === undefined ? sendChunk(value) : room.then(() => sendChunk(value))
      },
      progress(value) {
        // A later value says more than one that comes late.
        if (transport.bufferedBytes > HIGH_WATER_BYTES) return
        const { json, blobs } = encodeValue(value)
        rpc.notify('progress', { call: id, value: json }, blobs)
      },
      log(entry) {
        if (transport.bufferedBytes < PAUSE_BYTES) rpc.notify('log', { call: id, ...entry })
      },
    }
  }

  const run = async (id: RequestId, params: Params): Promise<CallResult> => {
    const { stream, input, ...body } = parse(params.json)
    if (running.has(id)) throw new EasyNetError('invalid_request', 'A request with this id is still running.')
    if (running.size >= MAX_RUNNING_CALLS) {
      throw new EasyNetError('too_many_calls', `This program has ${MAX_RUNNING_CALLS} calls running.`, {
        details: { limit: MAX_RUNNING_CALLS },
      })
    }
    const request = toCallRequest(body, (json) => decodeValue(json, params.blobs))
    const controller = new AbortController()
    const chunks = createSendWindow()
    const call: ProgramCall = { controller, isStreaming: stream || input, chunks }
    if (input) {
      call.input = createInputStream((n) => rpc.notify('ack', { call: id, of: 'input', n }))
      request.input = call.input.items
    }
    const collector = stream ? undefined : createCollector((error) => controller.abort(error))
    running.set(id, call)
    try {
      const sink = sinkOf(id, chunks)
      const result = await node.call(request, collector === undefined ? sink : { ...sink, ...collector }, {
        signal: controller.signal,
        onAccepted: (callId) => rpc.notify('accepted', { call: id, id: callId }),
      })
      return collector?.withChunks(result) ?? result
    } finally {
      running.delete(id)
      call.input?.end(new EasyNetError('cancelled', 'The call has ended.'))
    }
  }

  const handle = (method: string, call: ProgramCall, { json, blobs }: Params): void => {
    if (method === 'ack') call.chunks.acknowledge(json['n'])
    else if (method === 'input') call.input?.accept(decodeValue(json['value'], blobs))
    else if (method === 'inputEnd') call.input?.end(inputError(json))
    else call.controller.abort(new EasyNetError('cancelled', 'The program cancelled the call.'))
  }

  return {
    get size() {
      return running.size
    },
    async call(id, params) {
      const result = await run(id, params)
      const { json, blobs } = encodeValue(result.result)
      return { json: { ...result, result: json }, blobs }
    },
    notified(method, params) {
      // A call that has just ended may still be spoken of.
      const call = running.get(params.json['call'] as RequestId)
      if (call === undefined) return
      try {
        handle(method, call, params)
      } catch (thrown) {
        const error = EasyNetError.from(thrown)
        if (error.reason === 'protocol_violation') throw error
        call.controller.abort(error)
      }
    },
    abandon() {
      const gone = new EasyNetError('cancelled', 'The program that made the call is gone.')
      for (const call of running.values()) {
        call.chunks.close(gone)
        if (call.isStreaming) call.controller.abort(gone)
      }
    },
  }
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

function parse(json: Json): z.output<typeof callParamsSchema> {
  const parsed = callParamsSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw invalidRequest(parsed.error, 'call')
}
