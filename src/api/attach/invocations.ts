// The last stop of a call: functions that an attached program runs. Before it comes
// runtimes/executor.ts, which keeps the limits and decides when a program is killed.
import { EasyNetError } from '../../errors/error.ts'
import type { CallSink, FunctionRunner, Invocation, LogEntry } from '../../model/call.ts'
import { toFramedJson } from '../../model/json.ts'
import { traceparentOf } from '../../model/trace.ts'
import type { Value } from '../../model/value.ts'
import type { Deadline, EndListener } from '../../util/signals.ts'
import { errorData } from '../errors.ts'
import { decodeValue, encodeValue, type Params, type RpcConnection, type RpcListener } from './connection.ts'
import { HIGH_WATER_BYTES } from './limits.ts'
import type { Json } from '../../model/attach-message.ts'
import type { Transport } from './transport.ts'
import { createReceiveWindow, createSendWindow, type ReceiveWindow, type SendWindow } from './windows.ts'

const MAX_LOG_LENGTH = 8_192
const LOG_LEVELS: readonly unknown[] = ['debug', 'info', 'warn', 'error'] satisfies LogEntry['level'][]

/** What one program runs for others. */
export interface Invocations {
  readonly size: number
  readonly runner: FunctionRunner
  /** Takes a notification that belongs to an invocation. */
  notified(method: 'chunk' | 'progress' | 'log' | 'ack', params: Params): void
  /** The program is gone: everything it ran is interrupted. */
  interrupt(): void
}

export interface InvocationsComponents {
  rpc: RpcConnection
  transport: Transport
  /** Called when an invocation has ended. */
  onSettled: () => void
}

export function createInvocations({ rpc, transport, onSettled }: InvocationsComponents): Invocations {
  const running = new Map<number, RunningInvocation>()
  let isGone = false
  const settled = (id: number): void => {
    running.delete(id)
    onSettled()
  }

  const sendInputs = async (id: number, items: AsyncIterable<Value>, window: SendWindow): Promise<void> => {
    try {
      for await (const item of items) {
        await window.claim()
        const { json, blobs } = encodeValue(item)
        rpc.notify('input', { call: id, value: json }, blobs)
        if (transport.bufferedBytes > HIGH_WATER_BYTES) await transport.drained()
      }
      if (running.has(id)) rpc.notify('inputEnd', { call: id })
    } catch (thrown) {
      if (running.has(id)) rpc.notify('inputEnd', { call: id, error: errorData(EasyNetError.from(thrown)) })
    }
  }

  return {
    get size() {
      return running.size
    },
    runner: {
      run: (invocation, sink) =>
        new Promise((resolve, reject) => {
          if (isGone) return reject(programGone(true))
          const started = new RunningInvocation({ rpc, settled }, invocation, sink, { resolve, reject })
          running.set(started.id, started)
          if (invocation.input !== undefined) void sendInputs(started.id, invocation.input, started.inputs)
        }),
    },
    notified(method, params) {
      const id = params.json['call'] as number
      const invocation = running.get(id)
      // One that has just ended may still be spoken of.
      if (invocation === undefined) return
      try {
        invocation.notified(method, params)
      } catch (thrown) {
        const error = EasyNetError.from(thrown)
        if (error.reason === 'protocol_violation') throw error
        rpc.notify('cancel', { call: id, reason: 'cancelled' })
        invocation.fail(error)
      }
    },
    interrupt() {
      isGone = true
      for (const invocation of running.values()) invocation.fail(programGone(false))
    },
  }
}

interface Owner {
  rpc: RpcConnection
  settled(id: number): void
}

interface Outcome {
  resolve(value: Value): void
  reject(error: EasyNetError): void
}

/** One call of a function, sent to the program. What only streams need is made when the first item comes. */
class RunningInvocation implements RpcListener, EndListener {
  readonly id: number
  readonly #owner: Owner
  readonly #sink: CallSink
  readonly #outcome: Outcome
  readonly #deadline: Deadline
  #isOver = false
  #chunks: ReceiveWindow<Value> | undefined
  #inputs: SendWindow | undefined

  constructor(owner: Owner, invocation: Invocation, sink: CallSink, outcome: Outcome) {
    this.#owner = owner
    this.#sink = sink
    this.#outcome = outcome
    this.#deadline = invocation.deadline
    const { json, blobs } = invokeParams(invocation)
    this.id = owner.rpc.request('invoke', json, blobs, this)
    this.#deadline.watch(this)
  }

  /** What the function may be sent still. */
  get inputs(): SendWindow {
    return (this.#inputs ??= createSendWindow())
  }

  /** The result comes after all chunks, also for a caller who is slower than the function. */
  answered(result: Params): void {
    this.#afterChunks(() => {
      try {
        this.#outcome.resolve(decodeValue(result.json['value'], result.blobs))
      } catch (thrown) {
        this.#outcome.reject(EasyNetError.from(thrown))
      }
    })
  }

  failed(error: EasyNetError): void {
    this.#afterChunks(() => this.#outcome.reject(error))
  }

  /** The caller cancelled it, or its time is over. */
  ended(reason: EasyNetError): void {
    this.#owner.rpc.notify('cancel', { call: this.id, reason: cancelReason(reason) })
  }

  /** Ends it from our side. */
  fail(error: EasyNetError): void {
    this.#settle()
    this.#outcome.reject(error)
  }

  notified(method: string, { json, blobs }: Params): void {
    if (method === 'ack') this.inputs.acknowledge(json['n'])
    else if (method === 'log') this.#sink.log(logEntry(json))
    else if (method === 'progress') this.#sink.progress(decodeValue(json['value'], blobs))
    else this.#acceptChunk(decodeValue(json['value'], blobs))
  }

  #acceptChunk(value: Value): void {
    this.#chunks ??= createReceiveWindow<Value>(
      (chunk) => this.#sink.chunk(chunk),
      (n) => this.#owner.rpc.notify('ack', { call: this.id, of: 'chunk', n }),
    )
    this.#chunks.accept(value)
  }

  #afterChunks(end: () => void): void {
    const settleAndEnd = (): void => {
      if (this.#isOver) return
      this.#settle()
      end()
    }
    if (this.#chunks === undefined) settleAndEnd()
    else this.#chunks.whenTaken(settleAndEnd)
  }

  #settle(): void {
    this.#isOver = true
    this.#deadline.unwatch(this)
    // An error costs its stack: only for a function that somebody sends inputs.
    this.#inputs?.close(new EasyNetError('cancelled', 'The function has ended.'))
    this.#owner.settled(this.id)
  }
}

function invokeParams(invocation: Invocation): { json: Json; blobs: readonly Uint8Array[] } {
  const { id, fn, args, kwargs, caller, timeoutMs, input, traceparent } = invocation
  const blobs: Uint8Array[] = []
  const json = {
    id,
    fn,
    args: toFramedJson(args, blobs),
    kwargs: toFramedJson(kwargs, blobs),
    caller,
    timeoutMs: Math.max(0, Math.round(timeoutMs)),
    input: input !== undefined,
    traceparent: traceparent ?? traceparentOf(id),
  }
  return { json, blobs }
}

function cancelReason({ reason }: EasyNetError): string {
  return reason === 'deadline_exceeded' || reason === 'interrupted' ? reason : 'cancelled'
}

function logEntry(json: Json): LogEntry {
  const { level, message } = json
  return {
    level: LOG_LEVELS.includes(level) ? (level as LogEntry['level']) : 'info',
    message: typeof message === 'string' ? message.slice(0, MAX_LOG_LENGTH) : '',
  }
}

// Nothing ran when the program had gone before the function was sent to it.
function programGone(isBefore: boolean): EasyNetError {
  return new EasyNetError('interrupted', 'The program that runs this function is gone.', {
    hint: 'Start it again: easynet serve FILE',
    retryable: isBefore,
  })
}
