// The last stop of a call: functions that an attached program runs. Before it comes
// runtimes/executor.ts, which keeps the limits and decides when a program is killed.
import { EasyNetError } from '../../errors/error.ts'
import type { CallSink, FunctionRunner, Invocation, LogEntry } from '../../model/call.ts'
import { toFramedJson } from '../../model/json.ts'
import { traceparentOf } from '../../model/trace.ts'
import type { Value } from '../../model/value.ts'
import type { EndListener } from '../../util/signals.ts'
import { errorData } from '../errors.ts'
import { decodeValue, encodeValue, type Params, type RpcAnswer, type RpcConnection } from './connection.ts'
import { HIGH_WATER_BYTES } from './limits.ts'
import type { Json } from './message.ts'
import type { Transport } from './transport.ts'
import { createReceiveWindow, createSendWindow, type ReceiveWindow, type SendWindow } from './windows.ts'

const MAX_LOG_LENGTH = 8_192
const LOG_LEVELS: readonly unknown[] = ['debug', 'info', 'warn', 'error'] satisfies LogEntry['level'][]

interface RunningInvocation {
  sink: CallSink
  chunks: ReceiveWindow<Value>
  inputs: SendWindow
  fail(error: EasyNetError): void
}

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

  const start = (
    invocation: Invocation,
    sink: CallSink,
    resolve: (value: Value) => void,
    reject: (error: EasyNetError) => void,
  ): void => {
    const { json, blobs } = invokeParams(invocation)
    let unlink = (): void => {}
    const settle = (): void => {
      running.delete(id)
      unlink()
      // An error costs its stack: only for a function that somebody sends inputs.
      if (invocation.input !== undefined) {
        inputs.close(new EasyNetError('cancelled', 'The function has ended.'))
      }
      onSettled()
    }
    // The result comes after all chunks, also for a caller who is slower than the function.
    const answered = (answer: RpcAnswer): void =>
      chunks.whenTaken(() => {
        if (!running.has(id)) return
        settle()
        if (answer.error !== undefined) reject(answer.error)
        else resolveWith(answer.result)
      })
    const resolveWith = (result: Params | undefined): void => {
      try {
        resolve(decodeValue(result?.json['value'], result?.blobs ?? []))
      } catch (thrown) {
        reject(EasyNetError.from(thrown))
      }
    }
    const id = rpc.request('invoke', json, blobs, answered)
    const chunks = createReceiveWindow<Value>(
      (value) => sink.chunk(value),
      (n) => rpc.notify('ack', { call: id, of: 'chunk', n }),
    )
    const inputs = createSendWindow()
    const fail = (error: EasyNetError): void => {
      settle()
      reject(error)
    }
    running.set(id, { sink, chunks, inputs, fail })
    const { deadline } = invocation
    const onEnd: EndListener = {
      ended: (reason) => rpc.notify('cancel', { call: id, reason: cancelReason(reason) }),
    }
    unlink = () => deadline.unwatch(onEnd)
    deadline.watch(onEnd)
    if (invocation.input !== undefined) void sendInputs(id, invocation.input, inputs)
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

  const handle = (method: string, invocation: RunningInvocation, { json, blobs }: Params): void => {
    const { sink, chunks, inputs } = invocation
    if (method === 'ack') inputs.acknowledge(json['n'])
    else if (method === 'log') sink.log(logEntry(json))
    else if (method === 'progress') sink.progress(decodeValue(json['value'], blobs))
    else chunks.accept(decodeValue(json['value'], blobs))
  }

  return {
    get size() {
      return running.size
    },
    runner: {
      run: (invocation, sink) =>
        new Promise((resolve, reject) => {
          if (isGone) reject(programGone(true))
          else start(invocation, sink, resolve, reject)
        }),
    },
    notified(method, params) {
      const id = params.json['call'] as number
      const invocation = running.get(id)
      // One that has just ended may still be spoken of.
      if (invocation === undefined) return
      try {
        handle(method, invocation, params)
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

function invokeParams(invocation: Invocation): { json: Json; blobs: readonly Uint8Array[] } {
  const { id, fn, args, kwargs, caller, timeoutMs, input, traceparent } = invocation
  const values = toFramedJson({ args, kwargs })
  const json = {
    id,
    fn,
    ...(values.json as Json),
    caller,
    timeoutMs: Math.max(0, Math.round(timeoutMs)),
    input: input !== undefined,
    traceparent: traceparent ?? traceparentOf(id),
  }
  return { json, blobs: values.blobs }
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
