import { z } from 'zod'
import { EasyNetError } from '../../errors/error.ts'
import { functionOptionsSchema } from '../../model/function.ts'
import type { Clock } from '../../util/clock.ts'
import { errorData, invalidRequest, isUnexpected, publicError } from '../errors.ts'
import type { NodeApi, Registration } from '../node-api.ts'
import type { ApiLogger } from '../ports.ts'
import { functionQuerySchema } from '../routes/functions.ts'
import { createRpcConnection, encodeValue, type Params, type RequestId } from './connection.ts'
import type { Groups } from './groups.ts'
import { createInvocations } from './invocations.ts'
import { ATTACH_PROTOCOL } from '../../model/attach.ts'
import { MAX_PROGRAM_FUNCTIONS, PAUSE_BYTES } from './limits.ts'
import { type Json, NO_BLOBS } from '../../model/attach-message.ts'
import { checkDepth } from './depth.ts'
import { createProgramCalls } from './program-calls.ts'
import type { Transport } from './transport.ts'

const GROUP = z.string().min(1).max(128)
const NAMES = z.array(z.string().max(128)).max(MAX_PROGRAM_FUNCTIONS)
const PARAMS = {
  hello: z.object({ client: z.string().max(256).optional(), group: GROUP.optional() }),
  supervise: z.strictObject({ group: GROUP }),
  register: z.strictObject({ functions: z.array(functionOptionsSchema).max(MAX_PROGRAM_FUNCTIONS) }),
  unregister: z.strictObject({ names: NAMES }),
  functions: functionQuerySchema.extend({ group: GROUP.optional() }),
  status: z.strictObject({}),
  outcome: z.strictObject({ id: z.string().min(1).max(256) }),
}

/** Time that the last words of a connection have to reach the program. */
const FAREWELL_MS = 1_000

export interface SessionComponents {
  node: NodeApi
  transport: Transport
  groups: Groups
  clock: Clock
  logger: ApiLogger
}

export interface SessionInit {
  /** Longest time without sending anything. */
  heartbeatMs: number
  /** Take the program for dead after this much silence. */
  silenceMs: number
  /** Called once, when the connection has ended. */
  onClosed: () => void
}

/** One attached program. */
export interface Session {
  /** Takes no new work; ends when what runs has ended. */
  drain(): void
  destroy(): void
}

interface Answer {
  json: Json
  blobs: readonly Uint8Array[]
}

/** Serves docs/spec/attach.md on one connection. */
export function createSession(components: SessionComponents, init: SessionInit): Session {
  const { node, groups, clock, logger } = components
  const aliveness = { heardAt: clock.monotonic(), sentAt: clock.monotonic(), isPaused: false }
  const transport = watched(components.transport, () => (aliveness.sentAt = clock.monotonic()))
  const registrations = new Map<string, Registration>()
  const leaveGroups: (() => void)[] = []
  const gone = new AbortController()
  let isDraining = false
  let isOver = false

  const rpc = createRpcConnection(transport, {
    request(id, method, params) {
      // The one that has to be quick.
      if (method === 'call' && !isDraining) calls.call(id, params)
      else void answer(id, method, params)
    },
    notification,
  })
  const invocations = createInvocations({ rpc, transport, onSettled: endWhenIdle })
  const calls = createProgramCalls({ node, rpc, transport, refuse, onSettled: endWhenIdle })

  const requests: Record<string, (params: Params) => Answer | Promise<Answer>> = {
    hello({ json }) {
      const { group } = parse(PARAMS.hello, json, 'hello')
      if (group !== undefined) {
        leaveGroups.push(groups.join(group, invocations.runner, () => registrations.keys()))
      }
      const { peerId, name, version } = node.status()
      return plain({
        protocol: ATTACH_PROTOCOL,
        peerId,
        name,
        version,
        ...(group === undefined ? {} : { group }),
      })
    },
    supervise({ json }) {
      const { group } = parse(PARAMS.supervise, json, 'supervise')
      const kill = (reason: string): void => void rpc.request('kill', { group, reason }, NO_BLOBS)
      leaveGroups.push(groups.supervise(group, kill))
      return plain({})
    },
    register({ json }) {
      checkDepth(json)
      const { functions } = parse(PARAMS.register, json, 'register')
      if (registrations.size + functions.length > MAX_PROGRAM_FUNCTIONS) {
        throw new EasyNetError('invalid_request', `A program may offer ${MAX_PROGRAM_FUNCTIONS} functions.`)
      }
      const registration = node.register(functions, invocations.runner)
      for (const { name } of registration.functions) registrations.set(name, registration)
      return plain({ functions: registration.functions.map(({ name, version }) => ({ name, version })) })
    },
    unregister({ json }) {
      const { names } = parse(PARAMS.unregister, json, 'unregister')
      const unknown = names.find((name) => !registrations.has(name))
      if (unknown !== undefined) {
        throw new EasyNetError('unknown_function', `This program does not offer "${unknown}".`)
      }
      for (const name of names) {
        registrations.get(name)?.unregister(name)
        registrations.delete(name)
      }
      return plain({})
    },
    functions({ json }) {
      const { scope, q, group } = parse(PARAMS.functions, json, 'functions')
      const functions = node.functions({ scope, ...(q === undefined ? {} : { q }) })
      if (group === undefined) return plain({ functions })
      const offered = groups.offered(group)
      return plain({ functions: functions.filter(({ name }) => offered.has(name)) })
    },
    status({ json }) {
      parse(PARAMS.status, json, 'status')
      return plain({ ...node.status() })
    },
    async outcome({ json }) {
      const { result, ...record } = await node.callRecord(
        parse(PARAMS.outcome, json, 'outcome').id,
        gone.signal,
      )
      if (result === undefined) return plain({ ...record })
      const value = encodeValue(result)
      return { json: { ...record, result: value.json }, blobs: value.blobs }
    },
  }

  async function answer(id: RequestId, method: string, params: Params): Promise<void> {
    try {
      const handler = Object.hasOwn(requests, method) ? requests[method] : undefined
      if (isDraining) throw new EasyNetError('draining', 'The daemon is stopping.')
      if (handler === undefined) throw unknownMethod(method)
      const answered = handler(params)
      const { json, blobs } = answered instanceof Promise ? await answered : answered
      rpc.reply(id, json, blobs)
      endWhenIdle()
    } catch (thrown) {
      refuse(id, method, thrown)
    }
  }

  function refuse(id: RequestId, method: string, thrown: unknown): void {
    const error = publicError(thrown)
    if (isUnexpected(error)) logger.error({ err: thrown, method }, 'A request of a program failed')
    rpc.fail(id, error)
    endWhenIdle()
  }

  function notification(method: string, params: Params): void {
    // Both directions number their requests on their own, so the kind says whose number it is.
    switch (method) {
      case 'ack':
        return params.json['of'] === 'input'
          ? invocations.notified(method, params)
          : calls.notified(method, params)
      case 'chunk':
      case 'progress':
      case 'log':
        return invocations.notified(method, params)
      case 'cancel':
      case 'input':
      case 'inputEnd':
        return calls.notified(method, params)
      default:
        // A heartbeat, or something that a later version knows.
        return
    }
  }

  function endWhenIdle(): void {
    if (isDraining && calls.size === 0 && invocations.size === 0) transport.end()
  }

  function pauseWhenFull(): void {
    if (aliveness.isPaused || transport.bufferedBytes < PAUSE_BYTES) return
    aliveness.isPaused = true
    transport.pause()
    void transport.drained().then(() => {
      aliveness.isPaused = false
      aliveness.heardAt = clock.monotonic()
      transport.resume()
    })
  }

  function over(): void {
    if (isOver) return
    isOver = true
    clearInterval(timer)
    for (const registration of new Set(registrations.values())) registration[Symbol.dispose]()
    registrations.clear()
    for (const leave of leaveGroups) leave()
    invocations.interrupt()
    calls.abandon()
    gone.abort()
    init.onClosed()
  }

  function violated(error: EasyNetError): void {
    logger.warn({ err: error }, 'A program broke the protocol')
    rpc.notify('error', { ...errorData(error) })
    over()
    transport.end()
    setTimeout(() => transport.destroy(), FAREWELL_MS).unref()
  }

  function checkAlive(): void {
    const now = clock.monotonic()
    if (!aliveness.isPaused && now - aliveness.heardAt > init.silenceMs) {
      logger.warn({ silenceMs: init.silenceMs }, 'A program fell silent')
      transport.destroy()
    } else if (now - aliveness.sentAt >= init.heartbeatMs / 2) rpc.notify('heartbeat', {})
  }

  const timer = setInterval(checkAlive, Math.max(1, init.heartbeatMs / 2))
  transport.start({
    message(json, blobs) {
      rpc.receive(json, blobs)
      pauseWhenFull()
    },
    alive: () => (aliveness.heardAt = clock.monotonic()),
    violation: violated,
    closed: over,
  })

  return {
    drain() {
      isDraining = true
      endWhenIdle()
    },
    destroy: () => transport.destroy(),
  }
}

function watched(transport: Transport, onSend: () => void): Transport {
  const watching = Object.create(transport) as Transport
  watching.send = (json, blobs) => {
    transport.send(json, blobs)
    onSend()
  }
  return watching
}

function plain(json: Json): Answer {
  return { json, blobs: NO_BLOBS }
}

function parse<T extends z.ZodType>(schema: T, json: Json, what: string): z.output<T> {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw invalidRequest(parsed.error, what)
}

function unknownMethod(method: string): EasyNetError {
  return new EasyNetError('not_implemented', `There is no method "${method.slice(0, 64)}".`, {
    hint: 'The methods are listed in docs/spec/attach.md.',
  })
}
