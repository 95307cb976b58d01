// Stop 4 of 7 of a call: comes from api/routes/calls.ts (or the app connection), goes to
// protocols/call/client.ts, or to runtimes/executor.ts when the function is on this device.
import { EasyNetError } from '../errors/error.ts'
import { parseFunctionAddress } from '../model/address.ts'
import {
  type CallRequest,
  type CallResult,
  type CallSink,
  DEFAULT_CALL_TIMEOUT_MS,
  type LoggedCall,
} from '../model/call.ts'
import type { Value } from '../model/value.ts'
import { createDeadline, deadlineError, type Deadline, raceSignal } from '../util/signals.ts'
import { type AttemptsComponents, createAttempts } from './attempts.ts'
import { Journey } from './journey.ts'
import type { CallObserver, Candidate } from './ports.ts'
import { neverRan, recall } from './recall.ts'

export interface CallerComponents extends AttemptsComponents {
  observer: CallObserver
  newId: () => string
  /** A short text that is the same for the same function and arguments, and different for others. */
  digestOf: (request: CallRequest) => string
}

export interface CallerInit {
  /** Devices that are tried per call. @default 4 */
  maxAttempts?: number
  /** How long the mesh is asked for a function that nobody has announced. @default 1_500 */
  discoverMs?: number
  /** Deadline of calls that name none. @default 60_000 */
  defaultTimeoutMs?: number
  /** Calls that this device makes at the same time. @default 4_096 */
  maxRunning?: number
}

export interface CallerOptions {
  signal?: AbortSignal | undefined
  /** Gets the id before anything is sent. */
  onAccepted?: ((id: string) => void) | undefined
}

/** Makes calls: finds a provider, keeps the deadline, retries what may be retried, settles the verdict. */
export interface Caller {
  /** @throws {@link EasyNetError} with the reason that the program sees */
  call: (request: CallRequest, sink: CallSink, options: CallerOptions) => Promise<CallResult>
  /** Ids of calls that run now. */
  running(): string[]
  isRunning: (id: string) => boolean
  /** False when no such call runs. */
  cancel(id: string): boolean
}

interface RunningCall {
  id: string
  digest: string
  result: Promise<CallResult>
}

export function createCaller(components: CallerComponents, init: CallerInit = {}): Caller {
  const { self, directory, remote, local, log, observer, clock } = components
  const defaultTimeoutMs = init.defaultTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS
  const maxRunning = init.maxRunning ?? 4_096
  const running = new Map<string, Deadline>()
  const runningKeys = new Map<string, RunningCall>()
  const travel = createAttempts(components, {
    maxAttempts: init.maxAttempts ?? 4,
    discoverMs: init.discoverMs ?? 1_500,
  })

  const finish = (
    record: LoggedCall,
    durationMs: number,
    path: Candidate['path'] | undefined,
    failure?: EasyNetError,
  ): void => {
    record.state = stateOf(failure)
    record.endedAt = clock.now()
    record.error = failure?.toJSON()
    log.note(record)
    observer.ended(record, durationMs, path)
  }

  const run = async (
    record: LoggedCall,
    request: CallRequest,
    sink: CallSink,
    options: CallerOptions,
  ): Promise<CallResult> => {
    const { name, range, peer: addressed } = parseFunctionAddress(request.fn)
    const peer = request.peer ?? addressed
    const onlyPeer = peer === undefined ? undefined : directory.resolvePeer(peer)
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs
    using deadline = createDeadline(timeoutMs, options.signal)
    const startedAt = clock.monotonic()
    // In the books before anybody hears of its id.
    log.note(record)
    running.set(record.id, deadline)
    options.onAccepted?.(record.id)
    const notes = observer.started(record, request.traceparent)
    const journey = new Journey({ request, name, range, onlyPeer, deadline, record, notes, sink })
    try {
      const value = await travel(journey)
      const durationMs = clock.monotonic() - startedAt
      finish(record, durationMs, journey.candidate?.path)
      return resultOf(journey, value, durationMs)
    } catch (error) {
      const cause = inCallersTime(EasyNetError.from(error), journey.sentTimeoutMs, timeoutMs)
      const failure = reported(cause, record.id, journey)
      finish(record, clock.monotonic() - startedAt, undefined, failure)
      throw failure
    } finally {
      notes.add('ended')
      running.delete(record.id)
    }
  }

  const newRecord = (request: CallRequest, key?: string, digest?: string): LoggedCall => ({
    id: request.id ?? components.newId(),
    fn: request.fn,
    key,
    digest,
    peerId: undefined,
    peerName: undefined,
    idempotent: undefined,
    state: 'running',
    startedAt: clock.now(),
    endedAt: undefined,
    error: undefined,
  })

  /** One run per key: the first caller's; the others get its outcome. */
  const runKeyed = async (key: string, request: CallRequest, sink: CallSink, options: CallerOptions) => {
    const digest = components.digestOf(request)
    using deadline = createDeadline(request.timeoutMs ?? defaultTimeoutMs, options.signal)
    const current = runningKeys.get(key)
    if (current !== undefined) {
      checkSame(current.digest, digest)
      options.onAccepted?.(current.id)
      return raceSignal(current.result, deadline.signal)
    }
    const known = log.findByKey(key)
    if (known !== undefined) checkSame(known.digest, digest)
    if (known !== undefined && !neverRan(known)) return recalled(known, deadline, options)
    const record = newRecord(request, key, digest)
    const result = run(record, request, sink, options)
    runningKeys.set(key, { id: record.id, digest, result })
    try {
      return await result
    } finally {
      runningKeys.delete(key)
    }
  }

  const recalled = async (
    known: LoggedCall,
    deadline: Deadline,
    options: CallerOptions,
  ): Promise<CallResult> => {
    options.onAccepted?.(known.id)
    const startedAt = clock.monotonic()
    const value = await recall({ selfId: self.peerId, remote, local, directory, clock }, known, deadline)
    const peerId = known.peerId ?? self.peerId
    return {
      id: known.id,
      result: value,
      provider: { peerId, name: known.peerName ?? '' },
      path: peerId === self.peerId ? 'local' : 'direct',
      attempts: 1,
      failed: [],
      durationMs: rounded(clock.monotonic() - startedAt),
      cost: '0',
    }
  }

  return {
    running: () => [...running.keys()],
    isRunning: (id) => running.has(id),
    cancel(id) {
      const deadline = running.get(id)
      deadline?.abort(new EasyNetError('cancelled', 'The call was cancelled.'))
      return deadline !== undefined
    },
    async call(request, sink, options) {
      if (running.size >= maxRunning) {
        const message = `${maxRunning} calls of this device are running.`
        throw new EasyNetError('too_many_calls', message, { notStarted: true })
      }
      if (request.id !== undefined && running.has(request.id)) {
        throw new EasyNetError('invalid_request', 'A call with this id is running.')
      }
      if (request.key !== undefined) return runKeyed(request.key, request, sink, options)
      return run(newRecord(request), request, sink, options)
    },
  }
}

function checkSame(known: string | undefined, digest: string): void {
  if (known === digest) return
  throw new EasyNetError(
    'invalid_request',
    'This idempotency key was used for another function or arguments.',
    {
      hint: 'Use one key per piece of work.',
    },
  )
}

function resultOf({ record, candidate, failed }: Journey, result: Value, durationMs: number): CallResult {
  return {
    id: record.id,
    result,
    provider: candidate?.peer ?? { peerId: record.peerId ?? '', name: record.peerName ?? '' },
    path: candidate?.path ?? 'direct',
    attempts: failed.length + 1,
    failed,
    durationMs: rounded(durationMs),
    cost: '0',
  }
}

function stateOf(failure: EasyNetError | undefined): LoggedCall['state'] {
  if (failure === undefined) return 'done'
  if (failure.reason === 'interrupted') return 'interrupted'
  return failure.reason === 'outcome_unknown' ? 'unknown' : 'failed'
}

/** A provider tells the time that was left when it got the call; the caller knows the time that it gave. */
function inCallersTime(error: EasyNetError, sentMs: number, timeoutMs: number): EasyNetError {
  const toldMs = error.reason === 'deadline_exceeded' ? error.details?.['timeoutMs'] : undefined
  const isOurs = typeof toldMs === 'number' && Math.abs(toldMs - sentMs) <= 1
  return isOurs ? deadlineError(timeoutMs).with({ details: { ...error.details, timeoutMs } }) : error
}

/** With the id, to ask for the outcome later; `retryable` only when no attempt can have run. */
function reported(error: EasyNetError, callId: string, { failed, mayHaveRun }: Journey): EasyNetError {
  const notStarted = error.notStarted && !mayHaveRun
  return error.with({
    notStarted,
    retryable: error.retryable && notStarted,
    details: { ...error.details, callId, attempts: failed.length },
  })
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
