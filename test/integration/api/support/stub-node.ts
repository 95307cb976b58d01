import { randomUUID } from 'node:crypto'
import { EasyNetError } from '../../../../src/errors/error.ts'
import type { CallOptions, NodeApi, Registration } from '../../../../src/api/node-api.ts'
import type {
  CallRecord,
  CallRequest,
  CallResult,
  CallSink,
  FunctionRunner,
} from '../../../../src/model/call.ts'
import { functionOptionsSchema, type FunctionDescriptor } from '../../../../src/model/function.ts'
import type { Value } from '../../../../src/model/value.ts'
import type { FunctionView, NodeEvent } from '../../../../src/model/views.ts'
import { abortReason, createDeadline } from '../../../../src/util/signals.ts'

/** What a test lets a function do; `sink` and `signal` are those of the call. */
export type StubFunction = (
  request: CallRequest,
  sink: CallSink,
  signal: AbortSignal,
) => Promise<Value> | Value

export interface StubNode extends NodeApi {
  /** Functions that need no attached program. */
  readonly builtIn: Record<string, StubFunction>
  readonly runners: Map<string, FunctionRunner>
  readonly lastSignal: () => AbortSignal | undefined
  readonly shutdowns: () => number
  emit(type: NodeEvent['type']): void
}

const SELF = { peerId: '12D3KooWStub', name: 'stub' }

/** A node without a mesh: calls run in attached programs or in functions of the test. */
export function createStubNode(): StubNode {
  const runners = new Map<string, FunctionRunner>()
  const descriptors = new Map<string, FunctionDescriptor>()
  const records = new Map<string, CallRecord>()
  const controllers = new Map<string, AbortController>()
  const kept: NodeEvent[] = []
  const wake = new Set<() => void>()
  const builtIn: Record<string, StubFunction> = {}
  let lastSignal: AbortSignal | undefined
  let shutdowns = 0

  const peer = {
    ...SELF,
    addresses: ['/ip4/127.0.0.1/tcp/4677'],
    connected: true,
    path: 'direct' as const,
    rttMs: 1,
    functions: [],
    version: '0.1.0',
    lastSeenAt: 1,
    clockAheadMs: null,
    blocked: false,
  }
  const checkPeer = (name: string): void => {
    if (name !== SELF.name) throw new EasyNetError('unknown_peer', `No peer "${name}".`)
  }
  const view = (descriptor: FunctionDescriptor): FunctionView => ({
    name: descriptor.name,
    version: descriptor.version,
    description: descriptor.description,
    stream: descriptor.stream,
    clientStream: descriptor.clientStream,
    idempotent: descriptor.idempotent,
    price: descriptor.price,
    tags: descriptor.tags,
    input: descriptor.input ?? null,
    output: descriptor.output ?? null,
    providers: [{ ...SELF, rttMs: 0, local: true }],
  })

  const run = async (
    id: string,
    request: CallRequest,
    sink: CallSink,
    signal: AbortSignal,
  ): Promise<Value> => {
    const own = builtIn[request.fn]
    if (own !== undefined) return own(request, sink, signal)
    const runner = runners.get(request.fn)
    if (runner === undefined) throw new EasyNetError('no_provider', `Nobody offers "${request.fn}".`)
    const { fn, args, kwargs, timeoutMs = 60_000, input } = request
    const { traceparent } = request
    using deadline = createDeadline(timeoutMs, signal)
    const invocation = { id, fn, args, kwargs, timeoutMs, deadline, caller: SELF, traceparent, input }
    return await runner.run(invocation, sink)
  }

  return {
    builtIn,
    runners,
    lastSignal: () => lastSignal,
    shutdowns: () => shutdowns,
    emit(type) {
      kept.push({ id: kept.length + 1, type, at: 0, data: {} })
      for (const listener of wake) listener()
    },
    status: () => ({
      schema: 'status/1',
      ...SELF,
      owner: '00'.repeat(32),
      meshes: [],
      version: '0.1.0',
      uptimeMs: 1,
      addresses: [],
      reachability: 'private',
      peers: 0,
      functions: runners.size,
      calls: { running: controllers.size, done: 0, failed: 0 },
      storage: 'ok',
    }),
    peers: () => [peer],
    async blockPeer(name, blocked) {
      checkPeer(name)
      return { ...peer, blocked }
    },
    async ping(name) {
      checkPeer(name)
      return { ...SELF, rttMs: 1, path: 'direct', address: '/ip4/127.0.0.1/tcp/4677' }
    },
    functions: ({ q }) =>
      [...descriptors.values()].filter(({ name }) => q === undefined || name.includes(q)).map(view),
    async findFunction(name) {
      if (name !== 'far.away') return undefined
      return view(functionOptionsSchema.parse({ name }))
    },
    async call(request: CallRequest, sink: CallSink, options: CallOptions): Promise<CallResult> {
      const id = request.id ?? randomUUID()
      const cancel = new AbortController()
      const given = options.signal === undefined ? [] : [options.signal]
      const signal = AbortSignal.any([...given, cancel.signal])
      lastSignal = signal
      controllers.set(id, cancel)
      options.onAccepted?.(id)
      records.set(id, { id, fn: request.fn, role: 'caller', state: 'running', startedAt: 1 })
      try {
        const result = await run(id, request, sink, signal)
        records.set(id, {
          id,
          fn: request.fn,
          role: 'caller',
          state: 'done',
          startedAt: 1,
          endedAt: 2,
          result,
        })
        return {
          id,
          result,
          provider: SELF,
          path: 'local',
          attempts: 1,
          failed: [],
          durationMs: 1,
          cost: '0',
        }
      } finally {
        controllers.delete(id)
      }
    },
    calls: () => [...records.values()].reverse(),
    callTimeline: async (id) =>
      id === 'old' ? undefined : { traceparent: '', timeline: [{ at: 1, where: 'app', what: 'called' }] },
    async callRecord(id) {
      const record = records.get(id)
      if (record === undefined) throw new EasyNetError('unknown_call', `No call "${id}".`)
      return record
    },
    cancelCall(id) {
      const controller = controllers.get(id)
      if (controller === undefined) throw new EasyNetError('unknown_call', `No call "${id}" is running.`)
      controller.abort(new EasyNetError('cancelled', 'Cancelled by its id.'))
    },
    register(functions, runner): Registration {
      const parsed = functions.map((options) => functionOptionsSchema.parse(options))
      const taken = parsed.find(({ name }) => runners.has(name))
      if (taken !== undefined) throw new EasyNetError('function_exists', `"${taken.name}" exists.`)
      for (const descriptor of parsed) {
        runners.set(descriptor.name, runner)
        descriptors.set(descriptor.name, descriptor)
      }
      const unregister = (name: string): void => {
        runners.delete(name)
        descriptors.delete(name)
      }
      return {
        functions: parsed,
        unregister,
        [Symbol.dispose]: () => parsed.forEach(({ name }) => unregister(name)),
      }
    },
    events: {
      async *follow(lastId, signal) {
        let next = lastId ?? kept.length
        while (!signal.aborted) {
          const event = kept[next]
          if (event !== undefined) {
            next += 1
            yield event
            continue
          }
          await new Promise<void>((resolve) => {
            const listener = (): void => {
              wake.delete(listener)
              resolve()
            }
            wake.add(listener)
            signal.addEventListener('abort', listener, { once: true })
          })
        }
      },
    },
    shutdown() {
      shutdowns += 1
    },
  }
}

/** Waits for the signal and throws its reason, as a function that heeds its cancel does. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(abortReason(signal))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
